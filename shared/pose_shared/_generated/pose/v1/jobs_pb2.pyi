from pose_shared._generated.pose.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class JobState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    JOB_STATE_UNSPECIFIED: _ClassVar[JobState]
    JOB_STATE_QUEUED: _ClassVar[JobState]
    JOB_STATE_RUNNING: _ClassVar[JobState]
    JOB_STATE_CANCELLING: _ClassVar[JobState]
    JOB_STATE_SUCCEEDED: _ClassVar[JobState]
    JOB_STATE_FAILED: _ClassVar[JobState]
    JOB_STATE_CANCELLED: _ClassVar[JobState]
JOB_STATE_UNSPECIFIED: JobState
JOB_STATE_QUEUED: JobState
JOB_STATE_RUNNING: JobState
JOB_STATE_CANCELLING: JobState
JOB_STATE_SUCCEEDED: JobState
JOB_STATE_FAILED: JobState
JOB_STATE_CANCELLED: JobState

class Media(_message.Message):
    __slots__ = ("display_name", "uploaded", "path")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    UPLOADED_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    uploaded: UploadedFiles
    path: str
    def __init__(self, display_name: _Optional[str] = ..., uploaded: _Optional[_Union[UploadedFiles, _Mapping]] = ..., path: _Optional[str] = ...) -> None: ...

class UploadedFiles(_message.Message):
    __slots__ = ("files",)
    FILES_FIELD_NUMBER: _ClassVar[int]
    files: _containers.RepeatedCompositeFieldContainer[UploadedFile]
    def __init__(self, files: _Optional[_Iterable[_Union[UploadedFile, _Mapping]]] = ...) -> None: ...

class UploadedFile(_message.Message):
    __slots__ = ("upload", "file_name")
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    upload: str
    file_name: str
    def __init__(self, upload: _Optional[str] = ..., file_name: _Optional[str] = ...) -> None: ...

class ImportSpec(_message.Message):
    __slots__ = ("media", "people", "persons", "start", "end", "fps", "input_fps", "fov_deg", "focal_mm", "calibration", "detector", "solve", "formats", "allow_truncated", "lifter", "camera", "camera_track", "detector_score", "tracking", "cleanup", "sensor_mm", "files")
    MEDIA_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    PERSONS_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    FPS_FIELD_NUMBER: _ClassVar[int]
    INPUT_FPS_FIELD_NUMBER: _ClassVar[int]
    FOV_DEG_FIELD_NUMBER: _ClassVar[int]
    FOCAL_MM_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    DETECTOR_FIELD_NUMBER: _ClassVar[int]
    SOLVE_FIELD_NUMBER: _ClassVar[int]
    FORMATS_FIELD_NUMBER: _ClassVar[int]
    ALLOW_TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    LIFTER_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    CAMERA_TRACK_FIELD_NUMBER: _ClassVar[int]
    DETECTOR_SCORE_FIELD_NUMBER: _ClassVar[int]
    TRACKING_FIELD_NUMBER: _ClassVar[int]
    CLEANUP_FIELD_NUMBER: _ClassVar[int]
    SENSOR_MM_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    media: Media
    people: int
    persons: _containers.RepeatedScalarFieldContainer[int]
    start: _types_pb2.Moment
    end: _types_pb2.Moment
    fps: _types_pb2.Rate
    input_fps: _types_pb2.Rate
    fov_deg: float
    focal_mm: float
    calibration: Calibration
    detector: str
    solve: SolveSpec
    formats: _containers.RepeatedScalarFieldContainer[str]
    allow_truncated: bool
    lifter: str
    camera: str
    camera_track: CameraTrack
    detector_score: float
    tracking: TrackingSpec
    cleanup: CleanupSpec
    sensor_mm: float
    files: FileSpec
    def __init__(self, media: _Optional[_Union[Media, _Mapping]] = ..., people: _Optional[int] = ..., persons: _Optional[_Iterable[int]] = ..., start: _Optional[_Union[_types_pb2.Moment, _Mapping]] = ..., end: _Optional[_Union[_types_pb2.Moment, _Mapping]] = ..., fps: _Optional[_Union[_types_pb2.Rate, _Mapping]] = ..., input_fps: _Optional[_Union[_types_pb2.Rate, _Mapping]] = ..., fov_deg: _Optional[float] = ..., focal_mm: _Optional[float] = ..., calibration: _Optional[_Union[Calibration, _Mapping]] = ..., detector: _Optional[str] = ..., solve: _Optional[_Union[SolveSpec, _Mapping]] = ..., formats: _Optional[_Iterable[str]] = ..., allow_truncated: bool = ..., lifter: _Optional[str] = ..., camera: _Optional[str] = ..., camera_track: _Optional[_Union[CameraTrack, _Mapping]] = ..., detector_score: _Optional[float] = ..., tracking: _Optional[_Union[TrackingSpec, _Mapping]] = ..., cleanup: _Optional[_Union[CleanupSpec, _Mapping]] = ..., sensor_mm: _Optional[float] = ..., files: _Optional[_Union[FileSpec, _Mapping]] = ...) -> None: ...

class TrackingSpec(_message.Message):
    __slots__ = ("people_by", "clicks", "splits", "merges", "reidentify")
    PEOPLE_BY_FIELD_NUMBER: _ClassVar[int]
    CLICKS_FIELD_NUMBER: _ClassVar[int]
    SPLITS_FIELD_NUMBER: _ClassVar[int]
    MERGES_FIELD_NUMBER: _ClassVar[int]
    REIDENTIFY_FIELD_NUMBER: _ClassVar[int]
    people_by: str
    clicks: _containers.RepeatedCompositeFieldContainer[Click]
    splits: _containers.RepeatedCompositeFieldContainer[TrackPart]
    merges: _containers.RepeatedCompositeFieldContainer[TrackMerge]
    reidentify: str
    def __init__(self, people_by: _Optional[str] = ..., clicks: _Optional[_Iterable[_Union[Click, _Mapping]]] = ..., splits: _Optional[_Iterable[_Union[TrackPart, _Mapping]]] = ..., merges: _Optional[_Iterable[_Union[TrackMerge, _Mapping]]] = ..., reidentify: _Optional[str] = ...) -> None: ...

class Click(_message.Message):
    __slots__ = ("x_px", "y_px", "at")
    X_PX_FIELD_NUMBER: _ClassVar[int]
    Y_PX_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    x_px: float
    y_px: float
    at: _types_pb2.Moment
    def __init__(self, x_px: _Optional[float] = ..., y_px: _Optional[float] = ..., at: _Optional[_Union[_types_pb2.Moment, _Mapping]] = ...) -> None: ...

class TrackPart(_message.Message):
    __slots__ = ("person", "at")
    PERSON_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    person: int
    at: _types_pb2.Moment
    def __init__(self, person: _Optional[int] = ..., at: _Optional[_Union[_types_pb2.Moment, _Mapping]] = ...) -> None: ...

class TrackMerge(_message.Message):
    __slots__ = ("parts",)
    PARTS_FIELD_NUMBER: _ClassVar[int]
    parts: _containers.RepeatedCompositeFieldContainer[TrackPart]
    def __init__(self, parts: _Optional[_Iterable[_Union[TrackPart, _Mapping]]] = ...) -> None: ...

class CleanupSpec(_message.Message):
    __slots__ = ("gaps", "gap_limit_s", "repair", "smoothing")
    GAPS_FIELD_NUMBER: _ClassVar[int]
    GAP_LIMIT_S_FIELD_NUMBER: _ClassVar[int]
    REPAIR_FIELD_NUMBER: _ClassVar[int]
    SMOOTHING_FIELD_NUMBER: _ClassVar[int]
    gaps: str
    gap_limit_s: float
    repair: str
    smoothing: str
    def __init__(self, gaps: _Optional[str] = ..., gap_limit_s: _Optional[float] = ..., repair: _Optional[str] = ..., smoothing: _Optional[str] = ...) -> None: ...

class FileSpec(_message.Message):
    __slots__ = ("unit", "up", "rotation_order")
    UNIT_FIELD_NUMBER: _ClassVar[int]
    UP_FIELD_NUMBER: _ClassVar[int]
    ROTATION_ORDER_FIELD_NUMBER: _ClassVar[int]
    unit: str
    up: str
    rotation_order: str
    def __init__(self, unit: _Optional[str] = ..., up: _Optional[str] = ..., rotation_order: _Optional[str] = ...) -> None: ...

class Calibration(_message.Message):
    __slots__ = ("width", "height", "intrinsics_px", "distortion")
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    INTRINSICS_PX_FIELD_NUMBER: _ClassVar[int]
    DISTORTION_FIELD_NUMBER: _ClassVar[int]
    width: int
    height: int
    intrinsics_px: _containers.RepeatedScalarFieldContainer[float]
    distortion: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, width: _Optional[int] = ..., height: _Optional[int] = ..., intrinsics_px: _Optional[_Iterable[float]] = ..., distortion: _Optional[_Iterable[float]] = ...) -> None: ...

class CameraTrack(_message.Message):
    __slots__ = ("frames", "positions_m", "rotations_wxyz", "focal_mm")
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_M_FIELD_NUMBER: _ClassVar[int]
    ROTATIONS_WXYZ_FIELD_NUMBER: _ClassVar[int]
    FOCAL_MM_FIELD_NUMBER: _ClassVar[int]
    frames: _containers.RepeatedScalarFieldContainer[int]
    positions_m: _containers.RepeatedScalarFieldContainer[float]
    rotations_wxyz: _containers.RepeatedScalarFieldContainer[float]
    focal_mm: float
    def __init__(self, frames: _Optional[_Iterable[int]] = ..., positions_m: _Optional[_Iterable[float]] = ..., rotations_wxyz: _Optional[_Iterable[float]] = ..., focal_mm: _Optional[float] = ...) -> None: ...

class SolveSpec(_message.Message):
    __slots__ = ("smoothing", "height_m", "floor", "contacts", "edits", "filters")
    SMOOTHING_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_M_FIELD_NUMBER: _ClassVar[int]
    FLOOR_FIELD_NUMBER: _ClassVar[int]
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    EDITS_FIELD_NUMBER: _ClassVar[int]
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    smoothing: float
    height_m: float
    floor: str
    contacts: str
    edits: ContactEdits
    filters: PartFilters
    def __init__(self, smoothing: _Optional[float] = ..., height_m: _Optional[float] = ..., floor: _Optional[str] = ..., contacts: _Optional[str] = ..., edits: _Optional[_Union[ContactEdits, _Mapping]] = ..., filters: _Optional[_Union[PartFilters, _Mapping]] = ...) -> None: ...

class ContactEdits(_message.Message):
    __slots__ = ("edits",)
    EDITS_FIELD_NUMBER: _ClassVar[int]
    edits: _containers.RepeatedCompositeFieldContainer[ContactEdit]
    def __init__(self, edits: _Optional[_Iterable[_Union[ContactEdit, _Mapping]]] = ...) -> None: ...

class ContactEdit(_message.Message):
    __slots__ = ("person", "point", "first_frame", "last_frame", "on")
    PERSON_FIELD_NUMBER: _ClassVar[int]
    POINT_FIELD_NUMBER: _ClassVar[int]
    FIRST_FRAME_FIELD_NUMBER: _ClassVar[int]
    LAST_FRAME_FIELD_NUMBER: _ClassVar[int]
    ON_FIELD_NUMBER: _ClassVar[int]
    person: int
    point: str
    first_frame: int
    last_frame: int
    on: bool
    def __init__(self, person: _Optional[int] = ..., point: _Optional[str] = ..., first_frame: _Optional[int] = ..., last_frame: _Optional[int] = ..., on: bool = ...) -> None: ...

class PartFilters(_message.Message):
    __slots__ = ("filters",)
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    filters: _containers.RepeatedCompositeFieldContainer[PartFilter]
    def __init__(self, filters: _Optional[_Iterable[_Union[PartFilter, _Mapping]]] = ...) -> None: ...

class PartFilter(_message.Message):
    __slots__ = ("part", "name", "values")
    PART_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    part: str
    name: str
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, part: _Optional[str] = ..., name: _Optional[str] = ..., values: _Optional[_Iterable[float]] = ...) -> None: ...

class Job(_message.Message):
    __slots__ = ("name", "spec", "state", "attempt", "create_time", "start_time", "end_time", "error", "progress", "people", "files", "last_seq", "refines")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQ_FIELD_NUMBER: _ClassVar[int]
    REFINES_FIELD_NUMBER: _ClassVar[int]
    name: str
    spec: ImportSpec
    state: JobState
    attempt: int
    create_time: float
    start_time: float
    end_time: float
    error: _types_pb2.Error
    progress: StageProgress
    people: _containers.RepeatedCompositeFieldContainer[Person]
    files: _containers.RepeatedCompositeFieldContainer[ResultFile]
    last_seq: int
    refines: str
    def __init__(self, name: _Optional[str] = ..., spec: _Optional[_Union[ImportSpec, _Mapping]] = ..., state: _Optional[_Union[JobState, str]] = ..., attempt: _Optional[int] = ..., create_time: _Optional[float] = ..., start_time: _Optional[float] = ..., end_time: _Optional[float] = ..., error: _Optional[_Union[_types_pb2.Error, _Mapping]] = ..., progress: _Optional[_Union[StageProgress, _Mapping]] = ..., people: _Optional[_Iterable[_Union[Person, _Mapping]]] = ..., files: _Optional[_Iterable[_Union[ResultFile, _Mapping]]] = ..., last_seq: _Optional[int] = ..., refines: _Optional[str] = ...) -> None: ...

class Person(_message.Message):
    __slots__ = ("index", "first_frame", "last_frame", "coverage", "relative_height", "spans", "best_frame", "best_box_px", "thumbnail")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    FIRST_FRAME_FIELD_NUMBER: _ClassVar[int]
    LAST_FRAME_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    SPANS_FIELD_NUMBER: _ClassVar[int]
    BEST_FRAME_FIELD_NUMBER: _ClassVar[int]
    BEST_BOX_PX_FIELD_NUMBER: _ClassVar[int]
    THUMBNAIL_FIELD_NUMBER: _ClassVar[int]
    index: int
    first_frame: int
    last_frame: int
    coverage: float
    relative_height: float
    spans: _containers.RepeatedCompositeFieldContainer[FrameSpan]
    best_frame: int
    best_box_px: _containers.RepeatedScalarFieldContainer[float]
    thumbnail: bytes
    def __init__(self, index: _Optional[int] = ..., first_frame: _Optional[int] = ..., last_frame: _Optional[int] = ..., coverage: _Optional[float] = ..., relative_height: _Optional[float] = ..., spans: _Optional[_Iterable[_Union[FrameSpan, _Mapping]]] = ..., best_frame: _Optional[int] = ..., best_box_px: _Optional[_Iterable[float]] = ..., thumbnail: _Optional[bytes] = ...) -> None: ...

class FrameSpan(_message.Message):
    __slots__ = ("first_frame", "last_frame")
    FIRST_FRAME_FIELD_NUMBER: _ClassVar[int]
    LAST_FRAME_FIELD_NUMBER: _ClassVar[int]
    first_frame: int
    last_frame: int
    def __init__(self, first_frame: _Optional[int] = ..., last_frame: _Optional[int] = ...) -> None: ...

class ResultFile(_message.Message):
    __slots__ = ("path", "size_bytes", "sha256")
    PATH_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    path: str
    size_bytes: int
    sha256: str
    def __init__(self, path: _Optional[str] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class StageProgress(_message.Message):
    __slots__ = ("stage", "done", "total", "per_second")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    stage: str
    done: int
    total: int
    per_second: float
    def __init__(self, stage: _Optional[str] = ..., done: _Optional[int] = ..., total: _Optional[int] = ..., per_second: _Optional[float] = ...) -> None: ...

class JobEvent(_message.Message):
    __slots__ = ("seq", "time", "state", "progress", "note", "people", "heartbeat")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    seq: int
    time: float
    state: JobState
    progress: StageProgress
    note: str
    people: PeopleFound
    heartbeat: Heartbeat
    def __init__(self, seq: _Optional[int] = ..., time: _Optional[float] = ..., state: _Optional[_Union[JobState, str]] = ..., progress: _Optional[_Union[StageProgress, _Mapping]] = ..., note: _Optional[str] = ..., people: _Optional[_Union[PeopleFound, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ...) -> None: ...

class PeopleFound(_message.Message):
    __slots__ = ("people",)
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    people: _containers.RepeatedCompositeFieldContainer[Person]
    def __init__(self, people: _Optional[_Iterable[_Union[Person, _Mapping]]] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CreateJobRequest(_message.Message):
    __slots__ = ("spec", "request_id")
    SPEC_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    spec: ImportSpec
    request_id: str
    def __init__(self, spec: _Optional[_Union[ImportSpec, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class RefineMotionRequest(_message.Message):
    __slots__ = ("job", "solve", "request_id")
    JOB_FIELD_NUMBER: _ClassVar[int]
    SOLVE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    job: str
    solve: SolveSpec
    request_id: str
    def __init__(self, job: _Optional[str] = ..., solve: _Optional[_Union[SolveSpec, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class GetJobRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListJobsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListJobsResponse(_message.Message):
    __slots__ = ("jobs", "next_page_token")
    JOBS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[Job]
    next_page_token: str
    def __init__(self, jobs: _Optional[_Iterable[_Union[Job, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchJobRequest(_message.Message):
    __slots__ = ("name", "after_seq")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQ_FIELD_NUMBER: _ClassVar[int]
    name: str
    after_seq: int
    def __init__(self, name: _Optional[str] = ..., after_seq: _Optional[int] = ...) -> None: ...

class CancelJobRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteJobRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteJobResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
