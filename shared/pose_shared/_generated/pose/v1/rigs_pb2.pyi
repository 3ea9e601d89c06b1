from pose_shared._generated.pose.v1 import motion_pb2 as _motion_pb2
from pose_shared._generated.pose.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Rig(_message.Message):
    __slots__ = ("name", "bones", "chains", "metres_per_unit", "up", "settings")
    NAME_FIELD_NUMBER: _ClassVar[int]
    BONES_FIELD_NUMBER: _ClassVar[int]
    CHAINS_FIELD_NUMBER: _ClassVar[int]
    METRES_PER_UNIT_FIELD_NUMBER: _ClassVar[int]
    UP_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    name: str
    bones: _containers.RepeatedCompositeFieldContainer[RigBone]
    chains: _containers.RepeatedCompositeFieldContainer[IkChain]
    metres_per_unit: float
    up: str
    settings: _containers.RepeatedCompositeFieldContainer[RigSetting]
    def __init__(self, name: _Optional[str] = ..., bones: _Optional[_Iterable[_Union[RigBone, _Mapping]]] = ..., chains: _Optional[_Iterable[_Union[IkChain, _Mapping]]] = ..., metres_per_unit: _Optional[float] = ..., up: _Optional[str] = ..., settings: _Optional[_Iterable[_Union[RigSetting, _Mapping]]] = ...) -> None: ...

class RigBone(_message.Message):
    __slots__ = ("name", "parent", "rest", "tail", "rotation", "keys", "location_axes")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    REST_FIELD_NUMBER: _ClassVar[int]
    TAIL_FIELD_NUMBER: _ClassVar[int]
    ROTATION_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_AXES_FIELD_NUMBER: _ClassVar[int]
    name: str
    parent: str
    rest: _containers.RepeatedScalarFieldContainer[float]
    tail: _containers.RepeatedScalarFieldContainer[float]
    rotation: str
    keys: _containers.RepeatedScalarFieldContainer[str]
    location_axes: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, name: _Optional[str] = ..., parent: _Optional[str] = ..., rest: _Optional[_Iterable[float]] = ..., tail: _Optional[_Iterable[float]] = ..., rotation: _Optional[str] = ..., keys: _Optional[_Iterable[str]] = ..., location_axes: _Optional[_Iterable[float]] = ...) -> None: ...

class IkChain(_message.Message):
    __slots__ = ("root", "mid", "end", "target", "pole", "switch")
    ROOT_FIELD_NUMBER: _ClassVar[int]
    MID_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    POLE_FIELD_NUMBER: _ClassVar[int]
    SWITCH_FIELD_NUMBER: _ClassVar[int]
    root: str
    mid: str
    end: str
    target: str
    pole: str
    switch: IkSwitch
    def __init__(self, root: _Optional[str] = ..., mid: _Optional[str] = ..., end: _Optional[str] = ..., target: _Optional[str] = ..., pole: _Optional[str] = ..., switch: _Optional[_Union[IkSwitch, _Mapping]] = ...) -> None: ...

class IkSwitch(_message.Message):
    __slots__ = ("bone", "name", "ik", "fk")
    BONE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    IK_FIELD_NUMBER: _ClassVar[int]
    FK_FIELD_NUMBER: _ClassVar[int]
    bone: str
    name: str
    ik: float
    fk: float
    def __init__(self, bone: _Optional[str] = ..., name: _Optional[str] = ..., ik: _Optional[float] = ..., fk: _Optional[float] = ...) -> None: ...

class RigSetting(_message.Message):
    __slots__ = ("bone", "name", "value")
    BONE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    bone: str
    name: str
    value: float
    def __init__(self, bone: _Optional[str] = ..., name: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...

class RoleBones(_message.Message):
    __slots__ = ("role", "bones")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    BONES_FIELD_NUMBER: _ClassVar[int]
    role: str
    bones: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, role: _Optional[str] = ..., bones: _Optional[_Iterable[str]] = ...) -> None: ...

class RetargetMotionRequest(_message.Message):
    __slots__ = ("job", "person", "rig", "bones", "fps", "in_place", "root_motion", "relock")
    JOB_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    RIG_FIELD_NUMBER: _ClassVar[int]
    BONES_FIELD_NUMBER: _ClassVar[int]
    FPS_FIELD_NUMBER: _ClassVar[int]
    IN_PLACE_FIELD_NUMBER: _ClassVar[int]
    ROOT_MOTION_FIELD_NUMBER: _ClassVar[int]
    RELOCK_FIELD_NUMBER: _ClassVar[int]
    job: str
    person: int
    rig: Rig
    bones: _containers.RepeatedCompositeFieldContainer[RoleBones]
    fps: _types_pb2.Rate
    in_place: bool
    root_motion: str
    relock: RelockedLimbs
    def __init__(self, job: _Optional[str] = ..., person: _Optional[int] = ..., rig: _Optional[_Union[Rig, _Mapping]] = ..., bones: _Optional[_Iterable[_Union[RoleBones, _Mapping]]] = ..., fps: _Optional[_Union[_types_pb2.Rate, _Mapping]] = ..., in_place: bool = ..., root_motion: _Optional[str] = ..., relock: _Optional[_Union[RelockedLimbs, _Mapping]] = ...) -> None: ...

class RelockedLimbs(_message.Message):
    __slots__ = ("limbs",)
    LIMBS_FIELD_NUMBER: _ClassVar[int]
    limbs: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, limbs: _Optional[_Iterable[str]] = ...) -> None: ...

class RigMotionChunk(_message.Message):
    __slots__ = ("header", "piece")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    PIECE_FIELD_NUMBER: _ClassVar[int]
    header: RigMotionHeader
    piece: _motion_pb2.ChannelPiece
    def __init__(self, header: _Optional[_Union[RigMotionHeader, _Mapping]] = ..., piece: _Optional[_Union[_motion_pb2.ChannelPiece, _Mapping]] = ...) -> None: ...

class RigMotionHeader(_message.Message):
    __slots__ = ("clip_name", "person", "rate", "frame_count", "start_time_s", "keyed", "settings", "bones", "kind", "confidence", "notes", "source_rate", "first_source_frame")
    CLIP_NAME_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    FRAME_COUNT_FIELD_NUMBER: _ClassVar[int]
    START_TIME_S_FIELD_NUMBER: _ClassVar[int]
    KEYED_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    BONES_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    SOURCE_RATE_FIELD_NUMBER: _ClassVar[int]
    FIRST_SOURCE_FRAME_FIELD_NUMBER: _ClassVar[int]
    clip_name: str
    person: int
    rate: _types_pb2.Rate
    frame_count: int
    start_time_s: float
    keyed: _containers.RepeatedCompositeFieldContainer[KeyedBone]
    settings: _containers.RepeatedCompositeFieldContainer[RigSetting]
    bones: _containers.RepeatedCompositeFieldContainer[RoleBones]
    kind: str
    confidence: float
    notes: _containers.RepeatedScalarFieldContainer[str]
    source_rate: _types_pb2.Rate
    first_source_frame: int
    def __init__(self, clip_name: _Optional[str] = ..., person: _Optional[int] = ..., rate: _Optional[_Union[_types_pb2.Rate, _Mapping]] = ..., frame_count: _Optional[int] = ..., start_time_s: _Optional[float] = ..., keyed: _Optional[_Iterable[_Union[KeyedBone, _Mapping]]] = ..., settings: _Optional[_Iterable[_Union[RigSetting, _Mapping]]] = ..., bones: _Optional[_Iterable[_Union[RoleBones, _Mapping]]] = ..., kind: _Optional[str] = ..., confidence: _Optional[float] = ..., notes: _Optional[_Iterable[str]] = ..., source_rate: _Optional[_Union[_types_pb2.Rate, _Mapping]] = ..., first_source_frame: _Optional[int] = ...) -> None: ...

class KeyedBone(_message.Message):
    __slots__ = ("name", "rotation", "moves")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROTATION_FIELD_NUMBER: _ClassVar[int]
    MOVES_FIELD_NUMBER: _ClassVar[int]
    name: str
    rotation: str
    moves: bool
    def __init__(self, name: _Optional[str] = ..., rotation: _Optional[str] = ..., moves: bool = ...) -> None: ...
