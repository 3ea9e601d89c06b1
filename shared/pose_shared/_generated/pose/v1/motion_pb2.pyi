from pose_shared._generated.pose.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetMotionRequest(_message.Message):
    __slots__ = ("job", "person", "fps", "joints")
    JOB_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    FPS_FIELD_NUMBER: _ClassVar[int]
    JOINTS_FIELD_NUMBER: _ClassVar[int]
    job: str
    person: int
    fps: _types_pb2.Rate
    joints: JointLayout
    def __init__(self, job: _Optional[str] = ..., person: _Optional[int] = ..., fps: _Optional[_Union[_types_pb2.Rate, _Mapping]] = ..., joints: _Optional[_Union[JointLayout, _Mapping]] = ...) -> None: ...

class JointLayout(_message.Message):
    __slots__ = ("up",)
    UP_FIELD_NUMBER: _ClassVar[int]
    up: str
    def __init__(self, up: _Optional[str] = ...) -> None: ...

class MotionChunk(_message.Message):
    __slots__ = ("header", "piece")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    PIECE_FIELD_NUMBER: _ClassVar[int]
    header: MotionHeader
    piece: ChannelPiece
    def __init__(self, header: _Optional[_Union[MotionHeader, _Mapping]] = ..., piece: _Optional[_Union[ChannelPiece, _Mapping]] = ...) -> None: ...

class MotionHeader(_message.Message):
    __slots__ = ("clip_name", "person", "rate", "frame_count", "start_time_s", "first_source_frame", "bones", "camera", "contact_names", "source_rate", "weak_spans", "joints", "camera_rotation_order")
    CLIP_NAME_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    FRAME_COUNT_FIELD_NUMBER: _ClassVar[int]
    START_TIME_S_FIELD_NUMBER: _ClassVar[int]
    FIRST_SOURCE_FRAME_FIELD_NUMBER: _ClassVar[int]
    BONES_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    CONTACT_NAMES_FIELD_NUMBER: _ClassVar[int]
    SOURCE_RATE_FIELD_NUMBER: _ClassVar[int]
    WEAK_SPANS_FIELD_NUMBER: _ClassVar[int]
    JOINTS_FIELD_NUMBER: _ClassVar[int]
    CAMERA_ROTATION_ORDER_FIELD_NUMBER: _ClassVar[int]
    clip_name: str
    person: int
    rate: _types_pb2.Rate
    frame_count: int
    start_time_s: float
    first_source_frame: int
    bones: _containers.RepeatedCompositeFieldContainer[Bone]
    camera: CameraView
    contact_names: _containers.RepeatedScalarFieldContainer[str]
    source_rate: _types_pb2.Rate
    weak_spans: _containers.RepeatedCompositeFieldContainer[WeakSpan]
    joints: _containers.RepeatedCompositeFieldContainer[Joint]
    camera_rotation_order: str
    def __init__(self, clip_name: _Optional[str] = ..., person: _Optional[int] = ..., rate: _Optional[_Union[_types_pb2.Rate, _Mapping]] = ..., frame_count: _Optional[int] = ..., start_time_s: _Optional[float] = ..., first_source_frame: _Optional[int] = ..., bones: _Optional[_Iterable[_Union[Bone, _Mapping]]] = ..., camera: _Optional[_Union[CameraView, _Mapping]] = ..., contact_names: _Optional[_Iterable[str]] = ..., source_rate: _Optional[_Union[_types_pb2.Rate, _Mapping]] = ..., weak_spans: _Optional[_Iterable[_Union[WeakSpan, _Mapping]]] = ..., joints: _Optional[_Iterable[_Union[Joint, _Mapping]]] = ..., camera_rotation_order: _Optional[str] = ...) -> None: ...

class WeakSpan(_message.Message):
    __slots__ = ("first_frame", "last_frame", "why", "joints")
    FIRST_FRAME_FIELD_NUMBER: _ClassVar[int]
    LAST_FRAME_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    JOINTS_FIELD_NUMBER: _ClassVar[int]
    first_frame: int
    last_frame: int
    why: str
    joints: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, first_frame: _Optional[int] = ..., last_frame: _Optional[int] = ..., why: _Optional[str] = ..., joints: _Optional[_Iterable[str]] = ...) -> None: ...

class Bone(_message.Message):
    __slots__ = ("name", "parent", "head_m", "tail_m", "z_axis", "joint")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    HEAD_M_FIELD_NUMBER: _ClassVar[int]
    TAIL_M_FIELD_NUMBER: _ClassVar[int]
    Z_AXIS_FIELD_NUMBER: _ClassVar[int]
    JOINT_FIELD_NUMBER: _ClassVar[int]
    name: str
    parent: int
    head_m: _containers.RepeatedScalarFieldContainer[float]
    tail_m: _containers.RepeatedScalarFieldContainer[float]
    z_axis: _containers.RepeatedScalarFieldContainer[float]
    joint: str
    def __init__(self, name: _Optional[str] = ..., parent: _Optional[int] = ..., head_m: _Optional[_Iterable[float]] = ..., tail_m: _Optional[_Iterable[float]] = ..., z_axis: _Optional[_Iterable[float]] = ..., joint: _Optional[str] = ...) -> None: ...

class Joint(_message.Message):
    __slots__ = ("name", "parent", "translate_cm", "orient_rad", "rotation_order", "length_cm")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    TRANSLATE_CM_FIELD_NUMBER: _ClassVar[int]
    ORIENT_RAD_FIELD_NUMBER: _ClassVar[int]
    ROTATION_ORDER_FIELD_NUMBER: _ClassVar[int]
    LENGTH_CM_FIELD_NUMBER: _ClassVar[int]
    name: str
    parent: int
    translate_cm: _containers.RepeatedScalarFieldContainer[float]
    orient_rad: _containers.RepeatedScalarFieldContainer[float]
    rotation_order: str
    length_cm: float
    def __init__(self, name: _Optional[str] = ..., parent: _Optional[int] = ..., translate_cm: _Optional[_Iterable[float]] = ..., orient_rad: _Optional[_Iterable[float]] = ..., rotation_order: _Optional[str] = ..., length_cm: _Optional[float] = ...) -> None: ...

class CameraView(_message.Message):
    __slots__ = ("world_to_camera", "intrinsics_px", "width", "height")
    WORLD_TO_CAMERA_FIELD_NUMBER: _ClassVar[int]
    INTRINSICS_PX_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    world_to_camera: _containers.RepeatedScalarFieldContainer[float]
    intrinsics_px: _containers.RepeatedScalarFieldContainer[float]
    width: int
    height: int
    def __init__(self, world_to_camera: _Optional[_Iterable[float]] = ..., intrinsics_px: _Optional[_Iterable[float]] = ..., width: _Optional[int] = ..., height: _Optional[int] = ...) -> None: ...

class ChannelPiece(_message.Message):
    __slots__ = ("channel", "values")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    channel: str
    values: bytes
    def __init__(self, channel: _Optional[str] = ..., values: _Optional[bytes] = ...) -> None: ...

class GetFileRequest(_message.Message):
    __slots__ = ("job", "path", "offset")
    JOB_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    job: str
    path: str
    offset: int
    def __init__(self, job: _Optional[str] = ..., path: _Optional[str] = ..., offset: _Optional[int] = ...) -> None: ...

class FileChunk(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...
