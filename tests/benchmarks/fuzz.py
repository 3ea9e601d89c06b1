"""Damaged films and keypoint files: each must end in a result or one clear error, soon and in little memory.

Usage: ``python tests/benchmarks/fuzz.py [films|bombs|keypoints|imports ...] [--count 500] [--seed 1]
[--clip FILM ...]``; all of them without a name, and with films of people to be damaged as well.  Every file
goes to a process of its own, which is ended when it takes longer than `LIMIT_S`, or a gibibyte more than
before it began.  Prints a table; exits with 1, and keeps the files, if any failed.  Needs Linux.
"""

from __future__ import annotations

import argparse
import collections
import io
import os
import shutil
import struct
import sys
import tempfile
import time
import traceback
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import av
import numpy as np
from mutations import damaged_bytes, damaged_keypoints, keypoint_files
from pose_server.keypoints.registry import read_keypoints
from pose_server.pipeline.importer import import_clip
from pose_server.pipeline.options import ImportOptions, Moment
from pose_server.pipeline.progress import SilentProgress
from pose_server.video.open import open_clip
from pose_shared.errors import InternalError, PoseError

LIMIT_S, IMPORT_LIMIT_S = 60.0, 180.0
LIMIT_KB = 1 << 20
IMPORTED_FRAMES = 24
#: What a pattern of pictures is damaged in.
PATTERN, RATE = "shot.%04d", Fraction(24)
#: A few frames of each: file name, codec, pixels, and options of the muxer.
FILMS = (
    ("h264.mp4", "libx264", "yuv420p", {"movflags": "faststart"}),
    ("fragments.mp4", "libx264", "yuv420p", {"movflags": "frag_keyframe+empty_moov"}),
    ("hevc10.mov", "libx265", "yuv420p10le", {}),
    ("prores.mov", "prores_ks", "yuv422p10le", {}),
    ("h264.mkv", "libx264", "yuv444p", {}),
    ("ffv1.mkv", "ffv1", "bgr0", {}),
    ("vp9.webm", "libvpx-vp9", "yuv420p", {}),
    ("av1.webm", "libsvtav1", "yuv420p", {}),
    ("mpeg4.avi", "mpeg4", "yuv420p", {}),
    ("mjpeg.avi", "mjpeg", "yuvj420p", {}),
    ("h264.ts", "libx264", "yuv420p", {}),
    ("mpeg2.mpg", "mpeg2video", "yuv420p", {}),
    ("mpeg2.mxf", "mpeg2video", "yuv420p", {}),
    ("flash.flv", "flv", "yuv420p", {}),
    ("colours.gif", "gif", "rgb8", {}),
    ("plain.h264", "libx264", "yuv420p", {}),
    ("fields.mkv", "libx264", "yuv420p", {}),
    ("fields.mpg", "mpeg2video", "yuv420p", {}),
    ("bright.mp4", "libx265", "yuv420p10le", {}),
)
PICTURES = (
    ("png", "png", "rgb24"),
    ("jpg", "mjpeg", "yuvj420p"),
    ("bmp", "bmp", "bgr24"),
    ("tga", "targa", "bgr24"),
)

#: Films of people; the others show nobody, whom an import looks for in vain.
CLIPS: list[Path] = []


@dataclass(frozen=True)
class End:
    """How one file ended."""

    what: str
    """``result``, the reason of an error, or a failure in capitals and words."""
    failed: bool
    seconds: float
    grown_kb: int


def main() -> int:
    """Damage, try and count."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    kinds = {"films": films, "bombs": bombs, "keypoints": keypoints, "imports": imports}
    parser.add_argument("kinds", nargs="*", choices=[*kinds, []], help="what to try; everything at first")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clip", type=Path, action="append", default=[], help="a film of people; repeatable")
    arguments = parser.parse_args()
    CLIPS.extend(arguments.clip)
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    print("| | files | results | errors | failures | longest, s | most memory, MB |")
    print("|---|---|---|---|---|---|---|")
    failed = 0
    for kind in arguments.kinds or kinds:
        place = folder / kind
        place.mkdir()
        ends = []
        for name, attempt, limit_s in kinds[kind](
            place, arguments.count, np.random.default_rng(arguments.seed)
        ):
            end = ended(attempt, limit_s)
            ends.append(end)
            if end.failed:
                print(f"{place / name}: {end.what}", file=sys.stderr)
        failed += sum(end.failed for end in ends)
        _print_row(kind, ends)
    if failed:
        print(f"The files are in {folder}.", file=sys.stderr)
    else:
        shutil.rmtree(folder)
    return int(failed > 0)


def ended(attempt: Callable[[], None], limit_s: float) -> End:
    """Run in a forked process that is watched."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        os.write(writer, _outcome(attempt).encode(errors="replace")[:4000])
        os._exit(0)
    os.close(writer)
    begin, most, why = time.monotonic(), 0, ""
    first = _resident_kb(child)
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        most = max(most, _resident_kb(child) - first)
        if most > LIMIT_KB or time.monotonic() - begin > limit_s:
            why = "MEMORY" if most > LIMIT_KB else "TIME"
            os.kill(child, 9)
            break
        time.sleep(0.003)
    _, status, usage = os.wait4(child, 0)
    seconds = time.monotonic() - begin
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read().decode()
    if not why and status:
        why = f"DIED with status {status}"
    most = max(most, usage.ru_maxrss - first)
    if not why and most > LIMIT_KB:
        why = "MEMORY"
    return End(why or said, bool(why) or said.startswith("RAISED"), seconds, most)


def _outcome(attempt: Callable[[], None]) -> str:
    """Return how an attempt ended; what users must never see begins with RAISED."""
    try:
        attempt()
    except InternalError as error:
        return f"RAISED {error.message}"
    except PoseError as error:
        if "\n" in error.message or not error.message.endswith(".") or len(error.message) > 600:
            return f"RAISED no one sentence: {error.message}"
        return error.reason
    except BaseException:
        return f"RAISED {traceback.format_exc()[-1500:]}"
    return "result"


def _resident_kb(process: int) -> int:
    try:
        fields = Path(f"/proc/{process}/statm").read_text().split()
    except OSError:
        return 0
    return int(fields[1]) * 4 if fields else 0


def _print_row(kind: str, ends: list[End]) -> None:
    reasons = collections.Counter(end.what for end in ends if not end.failed)
    results, failed = reasons.pop("result", 0), sum(end.failed for end in ends)
    longest, most = max(end.seconds for end in ends), max(end.grown_kb for end in ends)
    errors = sum(reasons.values())
    print(
        f"| {kind} | {len(ends)} | {results} | {errors} | {failed} | {longest:.1f} | {most / 1024:.0f} |",
        flush=True,
    )
    print(f"{kind}: {', '.join(f'{n} {reason}' for reason, n in reasons.most_common())}", file=sys.stderr)


Attempts = Iterator[tuple[str, Callable[[], None], float]]


def films(folder: Path, count: int, rng: np.random.Generator) -> Attempts:
    """Damaged films and sequences, decoded to their end; every second one as far as it can be."""
    seeds = [make_film(folder, *film) for film in FILMS] + [make_pictures(folder, *kind) for kind in PICTURES]
    seeds += CLIPS
    for number in range(count):
        seed = seeds[number % len(seeds)]
        yield _damaged(seed, seeds, folder / f"{number:04d}", number, rng)


def bombs(folder: Path, count: int, rng: np.random.Generator) -> Attempts:
    """Small files that promise, or are, more than any memory holds."""
    del count, rng
    for path, truncated in made_bombs(folder):
        yield path.name, lambda path=path, truncated=truncated: decode(path, truncated), LIMIT_S


def keypoints(folder: Path, count: int, rng: np.random.Generator) -> Attempts:
    """Damaged keypoint files of all formats, read, and their first frames looked at."""
    (folder / "originals").mkdir()
    made = keypoint_files(folder / "originals")
    for number in range(count):
        original = made[number % len(made)]
        target = folder / f"{number:04d}{original.suffix}"
        damaged_keypoints(original, target, rng)
        yield target.name, lambda target=target: read_points(target), LIMIT_S


def imports(folder: Path, count: int, rng: np.random.Generator) -> Attempts:
    """Some of the films, all the way to files; their seeds first."""
    seeds = [make_film(folder, *film) for film in FILMS[:10:3]] + [make_pictures(folder, *PICTURES[0])]
    seeds = [part for seed in seeds for part in (seed, *CLIPS)]
    for seed in dict.fromkeys(seeds):
        yield seed.name, lambda seed=seed: whole_import(seed, folder, False), IMPORT_LIMIT_S
    for number in range(max(1, count // 25)):
        name, _, _ = _damaged(seeds[number % len(seeds)], seeds, folder / f"{number:04d}", number, rng)
        path = folder / name
        yield name, lambda path=path: whole_import(path, folder, True), IMPORT_LIMIT_S


def _damaged(
    seed: Path, seeds: list[Path], place: Path, number: int, rng: np.random.Generator
) -> tuple[str, Callable[[], None], float]:
    """Write a damaged copy of a film, or of one picture of a sequence, and return what to try."""
    place.mkdir()
    other = _first_file(seeds[int(rng.integers(len(seeds)))]).read_bytes()
    files = sorted(seed.parent.glob(f"shot.*{seed.suffix}")) if "%" in seed.name else [seed]
    victim = files[int(rng.integers(len(files)))]
    for file in files:
        content = file.read_bytes()
        (place / file.name).write_bytes(damaged_bytes(content, other, rng) if file == victim else content)
    path = place / seed.name
    return str(path.relative_to(place.parent)), lambda: decode(path, bool(number % 2)), LIMIT_S


def _first_file(seed: Path) -> Path:
    return next(iter(sorted(seed.parent.glob(f"shot.*{seed.suffix}")))) if "%" in seed.name else seed


def decode(path: Path, truncated: bool) -> None:
    """Decode all of a clip, and check what comes."""
    rate = RATE if "%" in path.name else None
    source = open_clip(path, input_fps=rate, allow_truncated=truncated)
    for batch in source.batches(8):
        assert batch.frames.shape[1:] == (source.info.height, source.info.width, 3)
        assert (np.diff(batch.times_s) > 0).all()
        assert (np.diff(batch.indices) == 1).all()


def read_points(path: Path) -> None:
    """Read keypoints and look at some frames."""
    for clip in read_keypoints(path):
        sized = clip.sized(clip.size or (640, 480))
        for frame in range(min(sized.frame_count, 50)):
            sized.detections(frame, index=frame, time_s=frame / 30)


def whole_import(path: Path, folder: Path, truncated: bool) -> None:
    """Import a film as the command line does."""
    rate = RATE if "%" in path.name else None
    with tempfile.TemporaryDirectory(dir=folder) as out:
        import_clip(
            path,
            ImportOptions(allow_truncated=truncated, input_fps=rate, end=Moment(frame=IMPORTED_FRAMES)),
            Path(out) / "out",
            device="cpu",
            progress=SilentProgress(),
        )


def make_film(folder: Path, name: str, codec: str, pixels: str, options: dict[str, str]) -> Path:
    """Write two dozen frames of a moving pattern."""
    quick = {"preset": "ultrafast", "x265-params": "log-level=none"} if codec.startswith("libx26") else {}
    if name.startswith("fields"):
        quick["flags"] = "+ildct+ilme"
    os.environ["SVT_LOG"] = "0"
    path = folder / name
    with av.open(str(path), "w", options=options) as film:
        stream = film.add_stream(codec, rate=25, options={"preset": "12"} if "svt" in codec else quick)
        stream.width, stream.height, stream.pix_fmt = 160, 96, pixels
        stream.codec_context.gop_size = 8
        if name.startswith("bright"):
            context = stream.codec_context
            context.color_trc, context.color_primaries, context.colorspace = 16, 9, 9
        for index in range(24):
            frame = av.VideoFrame.from_ndarray(_pattern(index), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    return path


def make_pictures(folder: Path, suffix: str, codec: str, pixels: str) -> Path:
    """Write six pictures, and return their pattern."""
    for index in range(6):
        (folder / f"shot.{index:04d}.{suffix}").write_bytes(_picture(_pattern(index), codec, pixels))
    return folder / f"{PATTERN}.{suffix}"


def _pattern(index: int) -> np.ndarray:
    y, x = np.mgrid[:96, :160]
    return np.stack([x + 8 * index, y + 4 * index, x ^ y], axis=-1).astype(np.uint8)


def _picture(picture: np.ndarray, codec: str, pixels: str) -> bytes:
    context = av.CodecContext.create(codec, "w")
    context.height, context.width = picture.shape[:2]
    context.pix_fmt, context.time_base = pixels, Fraction(1, 25)
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixels)
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def made_bombs(folder: Path) -> Iterator[tuple[Path, bool]]:
    """Write hostile files one by one; and whether to take what can be taken of each."""

    def write(name: str, content: bytes) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    # Pictures of sizes that no memory holds, and of 8K cameras.
    for place, (width, height) in enumerate(((65535, 65535), (0x7FFFFFFF, 0x7FFFFFFF), (8192, 4320))):
        for number in range(3):
            write(f"png{place}.{number}.png", png_of_zeros(width, height))
        yield folder / f"png{place}.%d.png", False
        head = b"YUV4MPEG2 W%d H%d F25:1 Ip A1:1 C420jpeg\n" % (width, height)
        yield write(f"raw{place}.y4m", head + b"FRAME\n" + bytes(1000)), True
        yield write(f"gif{place}.gif", gif_of_zeros(width & 0xFFFF, height & 0xFFFF)), True
        for name in ("mjpeg.avi", "h264.mp4", "vp9.webm"):
            film = make_film(folder, name, *next(film[1:] for film in FILMS if film[0] == name))
            fields = (("<II", 0xFFFFFFFF), (">II", 0xFFFFFFFF), (">HH", 0xFFFF))
            sizes = [struct.pack(order, 160, 96) for order, _ in fields]
            huge = [struct.pack(order, width & mask, height & mask) for order, mask in fields]
            content = film.read_bytes()
            for old, new in zip(sizes, huge, strict=True):
                content = content.replace(old, new)
            yield write(f"sized{place}.{name}", content), True
    film = make_film(folder, *FILMS[0])
    content = film.read_bytes()
    # Millions of frames, of entries, and of time, that a header declares.
    for box in (b"stts", b"ctts", b"stsz", b"stsc", b"stco", b"stss", b"elst"):
        at = content.find(box)
        for offset in (8, 12, 16):
            if at > 0:
                for number in (b"\x7f\xff\xff\xff", b"\x00\x98\x96\x80"):
                    broken = content[: at + offset] + number + content[at + offset + 4 :]
                    yield write(f"{box.decode()}{offset}{number[1]}.mp4", broken), bool(offset % 8)
    # Boxes in boxes, and elements in elements.
    nested = b""
    for _ in range(20_000):
        nested = struct.pack(">I4s", (len(nested) + 8) & 0xFFFFFFFF, b"moov") + nested
    yield write("nested.mp4", content[:32] + nested), False
    mkv = make_film(folder, *FILMS[4]).read_bytes()
    yield write("nested.mkv", mkv[:64] + b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" * 50_000), True
    # Much that is nothing.
    for name, head in (("zeros.mp4", content[:32]), ("zeros.ts", b"G"), ("zeros.mpg", b"\x00\x00\x01\xba")):
        yield write(name, head + bytes(64 << 20)), True


def png_of_zeros(width: int, height: int) -> bytes:
    """Return a picture of one colour whose header is true if it is small enough to be made."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer, rows = zlib.compressobj(9), bytes(1 + 3 * min(width, 8192))
    packed = b"".join(packer.compress(rows) for _ in range(min(height, 4320))) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def gif_of_zeros(width: int, height: int) -> bytes:
    """Return a GIF of many pictures that each fill the screen with almost no data."""
    out = io.BytesIO()
    out.write(b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6))
    for _ in range(40):
        out.write(b"\x21\xf9\x04\x04\x04\x00\x00\x00" + b"," + struct.pack("<HHHHB", 0, 0, width, height, 0))
        out.write(b"\x02\x02\x44\x01\x00")
    out.write(b";")
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main())
