from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pose_server.api.convert import (
    event_message,
    id_of,
    job_message,
    rate_of,
    refinement_of,
    request_of,
    solve_options_of,
)
from pose_server.cache.media import Media, MediaFile
from pose_server.engine.executor import ResultFile, StageProgress
from pose_server.jobs.model import Job, JobEvent, JobRequest, JobState
from pose_server.pipeline.calibration import Calibration
from pose_server.pipeline.camera_track import CameraTrack
from pose_server.pipeline.cleanup_options import GAPS, REPAIRS, CleanupOptions
from pose_server.pipeline.file_options import PER_METRE, ROTATION_ORDERS, UPS, FileOptions
from pose_server.pipeline.filter_options import FILTERS, NamedFilter
from pose_server.pipeline.options import CAMERAS, FORMATS, LIFTERS, ImportOptions, Moment
from pose_server.pipeline.progress import FoundPerson
from pose_server.pipeline.solve_options import (
    BODY_PARTS,
    CONTACT_MODES,
    CONTACT_POINTS,
    FLOOR_MODES,
    ContactEdit,
    PartFilter,
    SolveOptions,
)
from pose_server.pipeline.tracking_options import (
    PEOPLE_BY,
    REIDENTIFY,
    Click,
    Merge,
    Part,
    TrackingOptions,
)
from pose_shared._generated.pose.v1 import jobs_pb2, types_pb2
from pose_shared.errors import InputError, MediaError
from pose_shared.messages import Job as ClientJob
from pose_shared.messages import JobEvent as ClientEvent
from pose_shared.messages import Person
from pose_shared.messages import StageProgress as ClientProgress
from pose_shared.request import RemoteClip, import_spec, solve_spec

PERSON = FoundPerson(1, 3, 99, 0.5, 0.25)

moments = st.one_of(
    st.builds(Moment, frame=st.integers(0, 2**40)),
    st.builds(Moment, seconds=st.floats(0, 1e6, allow_nan=False).map(abs)),
)
rates = st.fractions(Fraction(1, 10), 1000, max_denominator=10_000)

edits = st.builds(
    lambda person, point, first, length, on: ContactEdit(person, point, first, first + length, on),
    st.integers(1, 2**31 - 1),
    st.sampled_from(CONTACT_POINTS),
    st.integers(0, 2**40),
    st.integers(0, 2**40),
    st.booleans(),
)
filters = st.one_of(
    st.builds(PartFilter, st.sampled_from(BODY_PARTS), st.sampled_from(list(FILTERS))),
    st.builds(PartFilter, st.just("arms"), st.just("rts"), st.tuples(st.floats(0.05, 1000))),
    st.builds(PartFilter, st.just("all"), st.just("savitzky_golay"), st.just((0.5, 2.0))),
)
solves = st.builds(
    SolveOptions,
    smoothing=st.floats(0, 1),
    height_m=st.none() | st.floats(0.3, 3),
    floor=st.sampled_from(FLOOR_MODES),
    contacts=st.sampled_from(CONTACT_MODES),
    edits=st.lists(edits, max_size=3).map(tuple),
    filters=st.lists(filters, max_size=3).map(tuple),
)


parts = st.builds(Part, st.integers(1, 9), st.none() | moments)
clicks = st.builds(Click, st.floats(0, 1e4), st.floats(0, 1e4), st.none() | moments)


@st.composite
def trackings(draw: st.DrawFn) -> TrackingOptions:
    named = draw(st.lists(parts, max_size=6, unique=True))
    splits = tuple(part for part in named if part.at is not None)
    merges = (Merge(tuple(named)),) if len(named) > 1 and draw(st.booleans()) else ()
    return TrackingOptions(
        people_by=draw(st.sampled_from(PEOPLE_BY)),
        clicks=tuple(draw(st.lists(clicks, max_size=3))),
        splits=splits,
        merges=merges,
        reidentify=draw(st.sampled_from(REIDENTIFY)),
    )


positions = st.tuples(*[st.floats(-1e6, 1e6)] * 3)
tracks = st.lists(positions, min_size=1, max_size=4).flatmap(
    lambda places: st.builds(
        CameraTrack,
        st.just(tuple(range(7, 7 + len(places)))),
        st.just(tuple(places)),
        st.just(((0.5, -0.5, 0.5, 0.5),) * len(places)),
        st.none() | st.floats(5, 1000),
    )
)
cleanups = st.builds(
    CleanupOptions,
    gaps=st.sampled_from(list(GAPS)),
    gap_limit_s=st.none() | st.floats(0.01, 60),
    repair=st.sampled_from(REPAIRS),
    smoothing=st.none()
    | st.builds(NamedFilter, st.sampled_from(list(FILTERS)))
    | st.builds(NamedFilter, st.just("rts"), st.tuples(st.integers(1, 900).map(float))),
)
files = st.builds(
    FileOptions,
    unit=st.none() | st.sampled_from(list(PER_METRE)),
    up=st.none() | st.sampled_from(UPS),
    rotation_order=st.none() | st.sampled_from(ROTATION_ORDERS),
)
calibrations = st.builds(
    Calibration,
    st.tuples(st.integers(1000, 4000), st.integers(1000, 4000)),
    st.tuples(st.floats(900, 9000), st.floats(900, 9000)),
    st.tuples(st.floats(1, 999), st.floats(1, 999)),
    st.just((0.0,) * 5) | st.just((-0.1, 0.02, 0.001, -0.001, 0.0)),
)
lenses = st.one_of(
    st.just({}),
    st.builds(dict, fov_deg=st.floats(5, 150)),
    st.builds(dict, focal_mm=st.floats(5, 1000)),
    st.builds(dict, focal_mm=st.floats(1, 2000), sensor_mm=st.floats(1, 200)),
    st.builds(dict, calibration=calibrations),
)
cameras = st.builds(dict, camera=st.sampled_from(CAMERAS)) | st.builds(dict, camera_track=tracks)


@st.composite
def options(draw: st.DrawFn) -> ImportOptions:
    try:
        return ImportOptions(
            people=draw(st.none() | st.integers(1, 64)),
            persons=tuple(draw(st.lists(st.integers(1, 2**31 - 1), max_size=4))),
            start=draw(st.none() | moments),
            end=draw(st.none() | moments),
            fps=draw(st.none() | rates),
            input_fps=draw(st.none() | rates),
            detector=draw(st.sampled_from(["auto", "blazepose", "rtmpose:halpe26"])),
            detector_score=draw(st.none() | st.floats(0.01, 0.99)),
            **draw(cameras),
            tracking=draw(trackings()),
            lifter=draw(st.sampled_from(LIFTERS)),
            cleanup=draw(cleanups),
            files=draw(files),
            solve=draw(solves),
            formats=tuple(draw(st.lists(st.sampled_from(FORMATS), min_size=1))),
            allow_truncated=draw(st.booleans()),
            **draw(lenses),
        )
    except InputError:  # a range that holds nothing
        return ImportOptions()


def job(request: JobRequest, **changes: object) -> Job:
    fields = {
        "id": "abc",
        "number": 1,
        "request": request,
        "state": JobState.QUEUED,
        "attempt": 0,
        "losses": 0,
        "fence": 0,
        "create_time": 12.5,
        "start_time": None,
        "end_time": None,
        "error": None,
        "progress": None,
        "people": (),
        "files": (),
        "last_seq": 1,
    }
    return Job(**fields | changes)


REQUEST = JobRequest(Media("a.mp4", (MediaFile("0" * 64, "a.mp4"),)), ImportOptions())


@given(options())
def test_options_pass_through_messages_unchanged(wanted: ImportOptions) -> None:
    for media in (REQUEST.media, Media("", path="/films/a.mp4")):
        request = JobRequest(media, wanted)
        message = jobs_pb2.Job.FromString(job_message(job(request)).SerializeToString())
        assert request_of(message.spec) == request


def test_a_camera_track_goes_from_client_to_options() -> None:
    track = CameraTrack((3, 5), ((0.0, 1.0, 2.0),) * 2, ((1.0, 0.0, 0.0, 0.0),) * 2, 35.0)
    clip = RemoteClip("a.mp4", uploads=(("uploads/" + "0" * 64, "a.mp4"),))
    spec = import_spec(clip, {"camera_track": track.to_dict()})
    request = request_of(spec)
    assert request.options.camera_track == track
    assert job_message(job(request)).spec.HasField("camera_track")
    assert not job_message(job(request), with_files=False).spec.HasField("camera_track")
    del spec.camera_track.positions_m[-1]
    with pytest.raises(InputError, match="positions_m does not have 3 numbers") as caught:
        request_of(spec)
    assert caught.value.reason == "CAMERA_TRACK_INVALID"
    with pytest.raises(InputError, match="camera_track"):
        import_spec(clip, {"camera_track": {"frames": [1], "positions_m": [[1]], "rotations_wxyz": []}})


@given(trackings())
def test_tracking_goes_from_client_to_options(wanted: TrackingOptions) -> None:
    clip = RemoteClip("a.mp4", uploads=(("uploads/" + "0" * 64, "a.mp4"),))
    asked = ImportOptions(tracking=TrackingOptions.from_dict(wanted.to_dict()), detector_score=0.25)
    fields = {name: asked.to_dict()[name] for name in ("tracking", "detector_score")}
    assert request_of(import_spec(clip, fields)).options == asked


@pytest.mark.parametrize(
    "value",
    [{"clicks": ["1"]}, {"clicks": ["1,a"]}, {"splits": ["x@3"]}, {"merges": ["1+"]}, {"click": ["1,1"]}],
)
def test_tracking_that_cannot_be_read_is_refused_by_the_client(value: dict[str, list[str]]) -> None:
    with pytest.raises(InputError, match="tracking"):
        import_spec(RemoteClip("a.mp4", path="a.mp4"), {"tracking": value})


def test_an_empty_spec_takes_the_defaults() -> None:
    media = jobs_pb2.Media(display_name="a.mp4")
    media.uploaded.files.add(upload="uploads/" + "0" * 64, file_name="a.mp4")
    assert request_of(jobs_pb2.ImportSpec(media=media)) == REQUEST


@given(solves, solves)
def test_what_a_client_leaves_open_stays_as_it_was(was: SolveOptions, wanted: SolveOptions) -> None:
    assert solve_options_of(jobs_pb2.SolveSpec(), was) == was
    fields = wanted.to_dict()
    assert solve_options_of(solve_spec(fields | {"height_m": fields["height_m"] or 0}), was) == wanted
    for name, value in fields.items():
        changed = solve_options_of(solve_spec({name: 0 if value is None else value}), was)
        assert changed == replace(was, **{name: getattr(wanted, name)})


def test_an_empty_list_takes_earlier_words_back() -> None:
    was = SolveOptions(edits=(ContactEdit(1, "left_toe", 0, 1, True),), filters=(PartFilter("all", "rts"),))
    assert solve_options_of(solve_spec({"edits": [], "filters": []}), was) == SolveOptions()


@given(st.binary(max_size=200))
def test_any_message_is_read_or_refused(data: bytes) -> None:
    spec = jobs_pb2.ImportSpec()
    try:
        spec.ParseFromString(data)
    except Exception:
        return
    with suppress(InputError):
        request_of(spec)


def test_the_client_reads_what_the_server_wrote() -> None:
    error = MediaError("Nobody is there.", reason="NOBODY_FOUND", frames=3)
    progress = StageProgress("detect", 3, 9, 1.5)
    file = ResultFile("person_01/motion.npz", 12, "0" * 64)
    message = job_message(
        job(
            REQUEST,
            state=JobState.FAILED,
            attempt=2,
            start_time=13.0,
            end_time=14.0,
            error=error,
            progress=progress,
            people=(PERSON,),
            files=(file,),
        )
    )
    read = ClientJob.from_proto(message)
    assert (read.name, read.clip_name, read.state.value, read.attempt) == ("jobs/abc", "a.mp4", "FAILED", 2)
    assert (read.create_time, read.start_time, read.end_time) == (12.5, 13.0, 14.0)
    assert (type(read.error), read.error) == (MediaError, error)
    assert read.progress == ClientProgress("detect", 3, 9, 1.5)
    assert read.people == (Person(1, 3, 99, 0.5, 0.25),)
    assert [vars(f) for f in read.files] == [vars(file)]
    cancelled = ClientJob.from_proto(job_message(job(REQUEST, state=JobState.CANCELLED)))
    assert cancelled.error is not None
    assert cancelled.error.reason == "JOB_CANCELLED"


def test_a_refinement_names_what_it_refines() -> None:
    source = job(REQUEST, state=JobState.SUCCEEDED, people=(PERSON,))
    request = refinement_of(source, solve_spec({"smoothing": 0.25}))
    assert request.refines == "abc"
    assert request.options == replace(REQUEST.options, solve=SolveOptions(smoothing=0.25))
    assert ClientJob.from_proto(job_message(job(request, id="def"))).refines == "jobs/abc"
    assert ClientJob.from_proto(job_message(source)).refines == ""
    with pytest.raises(InputError, match="no person 2, only 1"):
        refinement_of(source, solve_spec({"edits": [vars(ContactEdit(2, "left_toe", 0, 1, True))]}))


@pytest.mark.parametrize("state", list(JobState))
def test_every_state_has_its_message(state: JobState) -> None:
    assert ClientJob.from_proto(job_message(job(REQUEST, state=state))).state.value == state


def test_every_event_has_its_message() -> None:
    def read(content: object) -> ClientEvent:
        return ClientEvent.from_proto(event_message(JobEvent(3, 5.0, content), 9.0))

    assert read(JobState.RUNNING).state.value == "RUNNING"
    assert read("A note.").note == "A note."
    assert read((PERSON,)).people == (Person(1, 3, 99, 0.5, 0.25),)
    assert read(()).people == ()
    assert read("A note.").seq == 3
    shown = ClientEvent.from_proto(event_message(StageProgress("lift", 1, 2, 0.5), 9.0))
    assert (shown.seq, shown.time, shown.progress) == (0, 9.0, ClientProgress("lift", 1, 2, 0.5))
    assert event_message(None, 9.0).WhichOneof("event") == "heartbeat"
    assert ClientEvent.from_proto(event_message(None, 9.0)) is None
    assert ClientEvent.from_proto(jobs_pb2.JobEvent(seq=7)) is None


@pytest.mark.parametrize(
    "name", ["", "jobs/", "job/abc", "jobs/../x", "jobs/a b", "jobs/abc/", "uploads/abc", "jobs/abc\n"]
)
def test_names_are_checked(name: str) -> None:
    with pytest.raises(InputError) as caught:
        id_of(name, "jobs")
    assert caught.value.reason == "NAME_INVALID"


def test_a_rate_over_zero_is_refused() -> None:
    for denominator in (0, -1):
        with pytest.raises(InputError):
            rate_of(types_pb2.Rate(numerator=25, denominator=denominator))


def test_who_was_found_comes_with_a_picture_but_not_in_lists() -> None:
    person = FoundPerson(
        2,
        3,
        99,
        0.5,
        0.25,
        spans=((3, 40), (60, 99)),
        best_frame=61,
        best_box_px=(1.5, 2.0, 30.0, 90.0),
        thumbnail=b"\xff\xd8 a picture",
    )
    told = ClientEvent.from_proto(event_message(JobEvent(3, 5.0, (person,)), 9.0))
    finished = job(REQUEST, state=JobState.SUCCEEDED, people=(person,))
    read = ClientJob.from_proto(job_message(finished))
    assert told is not None and told.people is not None
    for found in (told.people[0], read.people[0], FoundPerson.from_dict(person.to_dict())):
        assert vars(found) == vars(person)
    listed = ClientJob.from_proto(job_message(finished, with_files=False)).people[0]
    assert vars(listed) == {**vars(person), "thumbnail": b""}


def test_a_list_leaves_out_the_files_of_the_media() -> None:
    message = job_message(job(REQUEST), with_files=False)
    assert message.spec.media.display_name == "a.mp4"
    assert not message.spec.media.uploaded.files


@pytest.mark.parametrize("name", ["mine.safetensors", "/etc/passwd", "../house.npz", "hous", "house " * 99])
def test_a_client_cannot_make_the_server_open_a_checkpoint(name: str) -> None:
    with pytest.raises(InputError, match=r"choose from auto, house.*landmarks.*without --server") as caught:
        request_of(spec(name))
    assert caught.value.reason == "LIFTER_UNKNOWN" and len(caught.value.message) < 250


@pytest.mark.parametrize(
    "name", ["rtmpose:mine.onnx", "detectron2:/etc/passwd", "a:b:c", "x y", "auto:../a" * 99]
)
def test_a_client_cannot_make_the_server_open_a_model(name: str) -> None:
    with pytest.raises(InputError, match="The server has no detector") as caught:
        request_of(
            jobs_pb2.ImportSpec(media=jobs_pb2.Media(display_name="a.mp4", path="a.mp4"), detector=name)
        )
    assert caught.value.reason == "DETECTOR_UNKNOWN" and len(caught.value.message) < 250


def test_a_client_that_names_no_lifter_gets_the_default() -> None:
    assert request_of(spec("")).options.lifter == "auto"
    assert request_of(spec("landmarks")).options.lifter == "landmarks"


def spec(lifter: str) -> jobs_pb2.ImportSpec:
    media = jobs_pb2.Media(display_name="a.mp4", path="/films/a.mp4")
    return jobs_pb2.ImportSpec(media=media, lifter=lifter)
