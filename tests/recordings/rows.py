"""The rows of the matrix: how each recording is made, and what is known to become of it."""

from __future__ import annotations

from typing import Any

from recipe import Row

SOUND = "-f lavfi -i sine=d=0.48"
TWO = f"{SOUND} {SOUND} -map 0 -map 1 -map 2"
ALL = f"{SOUND} {SOUND} -i words.srt -i trip.txt -map 0 -map 1 -map 2 -map 3 -map_metadata 4 -map_chapters 4"
FRENCH = "-metadata:s:a:1 language=fra -disposition:a:1 0"
VFR = "-vf select='not(mod(n,3))+lt(n,5)' -vsync vfr"
BT709 = "-colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range tv"
FULL = "-colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range pc"
NTSC = "-colorspace smpte170m -color_primaries smpte170m -color_trc smpte170m -color_range tv"
PAL = "-colorspace bt470bg -color_primaries bt470bg -color_trc gamma28 -color_range tv"
BT2020 = "-colorspace bt2020nc -color_primaries bt2020 -color_trc bt2020-10 -color_range tv"
HLG = "-colorspace bt2020nc -color_primaries bt2020 -color_trc arib-std-b67 -color_range tv"
PQ = "-colorspace bt2020nc -color_primaries bt2020 -color_trc smpte2084 -color_range tv"
X265 = "-c:v libx265 -x265-params log-level=none"
X264 = "-c:v libx264"
AV1 = "-c:v libaom-av1 -cpu-used 8 -usage realtime"
VP9 = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8"
LATE = "-itsoffset 1.5 !"
#: The last picture stays for half a second more.
STAYS = "-bsf:v setts=duration='if(eq(N,11),DURATION*13,DURATION)'"
#: Data at 0, 0.16 and 0.32 s.
EVERY = "-c:d copy -bsf:d setts=pts=N*0.16/TB:dts=N*0.16/TB:duration=0.16/TB"

SOURCE: dict[str, Any] = {"pixel_format": "source"}
GUESSED = {"colors": "untagged → tv; untagged → smpte170m"}
RENAMED = {"colors": "bt470bg → smpte170m"}

ROWS = (
    Row("phone.mp4", "H.264 BT.709, B-frames, AAC", f"{SOUND} {BT709} -bf 2 -c:a aac"),
    Row("untagged.mp4", "H.264, no color tags, AAC", f"{SOUND} -c:a aac", changes=GUESSED),
    Row("vfr.mp4", "variable frame rate, B-frames, AAC", f"{SOUND} {BT709} {VFR} -bf 2 -c:a aac"),
    Row("late.mp4", "starts at 1.5 s, AAC", f"{SOUND} {BT709} -c:a aac", LATE),
    Row("cut.mp4", "edit list that cuts the beginning, B-frames, AAC", f"{SOUND} {BT709} -bf 2 -c:a aac", "-ss 0.2 !"),
    Row("stays.mp4", "last picture stays half a second", f"{BT709} -bf 0", f"! {STAYS}"),
    Row("turned.mp4", "turned by 90 degrees", BT709, "! -metadata:s:v:0 rotate=90"),
    Row("wide.mp4", "PAL colors, pixels 4:3, timecode", f"{PAL} -aspect 16:9 -timecode 01:00:00:00", changes=RENAMED),
    Row(
        "fields.mp4",
        "interlaced, top field first",
        f"{NTSC} -flags +ilme+ildct -x264opts tff=1:weightp=0",
        changes={"shape": "tt → progressive"},
        said=("interlaced, top field first",),
    ),
    Row("trip.mp4", "two AAC tracks, subtitles, chapters, tags", f"{ALL} {BT709} {FRENCH} -c:a aac -c:s mov_text"),
    Row(
        "position.mp4",
        "GPS track, AAC",
        f"{SOUND} -f data -i position.bin -map 0 -map 1 -map 2 {X264} {BT709} -c:a aac {EVERY}",
        "! -tag:d gpmd -bsf:a aac_adtstoasc",
        ".ts",
    ),
    Row(
        "cover.mp4",
        "cover picture, tags, AAC",
        f"{SOUND} -i cover.png -map 0 -map 1 -map 2 -c:v:0 libx264 {BT709} -c:v:1 copy -disposition:v:1 attached_pic "
        "-metadata title=Trip -c:a aac",
        changes={"data": "png → left out"},
        said=("stream 2 (video, png) does not fit into mp4",),
    ),
    Row("jpeg.mp4", "MJPEG full range, AAC", f"{SOUND} -c:v mjpeg -pix_fmt yuvj420p -c:a aac", changes=RENAMED),
    Row(
        "hevc.mp4",
        "HEVC 10-bit BT.2020, AAC",
        f"{SOUND} {X265} -pix_fmt yuv420p10le {BT2020} -c:a aac",
        changes={"samples": "yuv420p10le → yuv420p"},
        said=("pixel format yuv420p10le keeps them",),
    ),
    Row(
        "hevc10.mp4",
        "HEVC 10-bit, AAC",
        f"{SOUND} {X265} -pix_fmt yuv420p10le {BT709} -c:a aac",
        options=SOURCE | {"codec": "hevc"},
    ),
    Row("av1.mp4", "AV1, Opus", f"{SOUND} {AV1} {BT709} -c:a libopus"),
    Row("pieces.mp4", "fragmented, AAC", f"{SOUND} {BT709} -c:a aac -movflags frag_keyframe+empty_moov"),
    Row(
        "pq.mp4",
        "HDR, PQ",
        f"{X265} -pix_fmt yuv420p10le {PQ}",
        refused="is HDR (PQ), and the network knows standard range only",
    ),
    Row(
        "hlg.mp4",
        "HDR, HLG",
        f"{X265} -pix_fmt yuv420p10le {HLG}",
        refused="is HDR (HLG), and the network knows standard range only",
    ),
    Row(
        "camera.mov",
        "H.264 4:2:2 full range, PCM, timecode",
        f"{SOUND} -pix_fmt yuv422p {FULL} -c:a pcm_s16le -timecode 10:00:00:00",
        changes={"samples": "yuv422p → yuv420p"},
        said=("pixel format yuv422p keeps them",),
    ),
    Row(
        "jpeg.mov",
        "MJPEG 4:2:2, two PCM tracks",
        f"{TWO} -c:v mjpeg -pix_fmt yuvj422p -c:a pcm_s16le",
        changes=RENAMED | {"samples": "yuv422p → yuv420p"},
        said=("pixel format yuv422p keeps them",),
    ),
    Row(
        "prores.mov",
        "ProRes 4:2:2 10-bit, PCM",
        f"{SOUND} -c:v prores_ks -pix_fmt yuv422p10le -c:a pcm_s24le",
        options=SOURCE | {"codec": "hevc", "matrix": "bt709"},
        changes={"colors": "untagged → bt709"},
    ),
    Row("vfr.mov", "variable frame rate, starts at 1.5 s, B-frames", f"{SOUND} {NTSC} {VFR} -bf 2 -c:a aac", LATE),
    Row(
        "trip.mkv",
        "Opus and FLAC, subtitles, chapters, attachment, tags",
        f"{ALL} {BT709} {FRENCH} -c:a:0 libopus -c:a:1 flac -c:s ass -attach font.ttf -metadata:s:t mimetype=font/ttf",
    ),
    Row(
        "chroma.mkv",
        "H.264 4:4:4, AAC",
        f"{SOUND} -pix_fmt yuv444p {BT709} -c:a aac",
        changes={"samples": "yuv444p → yuv420p"},
        said=("pixel format yuv444p keeps them",),
    ),
    Row(
        "chroma444.mkv",
        "H.264 4:4:4, AAC",
        f"{SOUND} -pix_fmt yuv444p {BT709} -c:a aac",
        options=SOURCE,
    ),
    Row("gray.mkv", "FFV1 gray", f"-c:v ffv1 -pix_fmt gray {BT709}", changes={"samples": "gray → yuv420p"}),
    Row(
        "gray_ffv1.mkv",
        "FFV1 gray",
        f"-c:v ffv1 -pix_fmt gray {BT709}",
        options=SOURCE | {"codec": "ffv1"},
    ),
    Row(
        "hevc.mkv",
        "HEVC 4:2:2 10-bit full range, Opus",
        f"{SOUND} {X265} -pix_fmt yuv422p10le {FULL} -c:a libopus",
        changes={"samples": "yuv422p10le → yuv420p"},
        said=("pixel format yuv422p10le keeps them",),
    ),
    Row("vfr.mkv", "variable frame rate, starts at 1.5 s, B-frames", f"{SOUND} {NTSC} {VFR} -bf 2 -c:a aac", LATE),
    Row("wide.mkv", "VP9, pixels 4:3, Opus", f"{SOUND} {VP9} {BT709} -aspect 16:9 -c:a libopus"),
    Row(
        "dashcam.avi", "MJPEG full range, PCM", f"{SOUND} -c:v mjpeg -pix_fmt yuvj420p -c:a pcm_s16le", changes=RENAMED
    ),
    Row("old.avi", "H.264, MP3, tags", f"{SOUND} {X264} {BT709} -bf 0 -c:a libmp3lame -metadata title=Trip"),
    Row(
        "bframes.avi",
        "H.264 with B-frames, whose delay AVI's length leaves out, PCM",
        f"{SOUND} {X264} {BT709} -bf 2 -c:a pcm_s16le",
        changes={"times": "length 0.48 → 0.56 s"},
    ),
    Row("web.webm", "VP9, Opus", f"{SOUND} {VP9} {BT709} -c:a libopus"),
    Row(
        "full.webm",
        "VP9 full range, Opus",
        f"{SOUND} {VP9} {FULL} -c:a libopus",
        out="full_enhanced.webm",
        options={"codec": "vp9"},
    ),
    Row(
        "av1.webm",
        "AV1 10-bit, Opus",
        f"{SOUND} {AV1} -pix_fmt yuv420p10le {BT709} -c:a libopus",
        out="av1_enhanced.webm",
        options=SOURCE | {"codec": "av1"},
    ),
    Row(
        "odd.webm",
        "VP9, 65x49",
        f"{VP9} {BT709}",
        size="65x49",
        changes={"shape": "65x49 → 66x50"},
        said=("65x49 becomes 66x50, the last row or column repeated",),
    ),
    Row(
        "odd444.webm",
        "VP9, 65x49",
        f"{VP9} {BT709}",
        size="65x49",
        options={"pixel_format": "yuv444p"},
        changes={"samples": "yuv420p → yuv444p"},
    ),
    Row("recorder.ts", "H.264, B-frames, AAC", f"{SOUND} {X264} {BT709} -bf 2 -c:a aac"),
    Row(
        "tv.ts",
        "MPEG-2 interlaced, bottom field first, MP2",
        f"{SOUND} -c:v mpeg2video -flags +ilme+ildct -top 0 {PAL} -c:a mp2",
        changes=RENAMED | {"shape": "bb → progressive"},
        said=("interlaced, bottom field first",),
    ),
    Row("hevc.ts", "HEVC, two AC-3 tracks", f"{TWO} {X265} {BT709} -c:a ac3"),
    Row(
        "position.ts",
        "H.264, position data, AAC",
        f"{SOUND} -f data -i position.bin -map 0 -map 1 -map 2 {X264} {BT709} -c:a aac {EVERY}",
    ),
    Row(
        "moved.mp4",
        "into another container",
        f"{ALL} {BT709} {FRENCH} -c:a aac -c:s mov_text",
        out="moved.mkv",
        changes={"times": "start 0.00 → 0.02 s", "subtitles": "mov_text → left out"},
        said=("stream 3 (subtitle, SubtitleHandler) does not fit into matroska",),
    ),
    Row(
        "moved.mkv",
        "into another container",
        f"-i words.srt -c:s srt -attach font.ttf -metadata:s:t mimetype=font/ttf {BT709}",
        out="moved.mp4",
        changes={"subtitles": "subrip → left out", "data": "attachment → left out"},
        said=(
            "stream 1 (subtitle, srt) does not fit into mp4",
            "stream 2 (attachment, font.ttf) does not fit into mp4",
        ),
    ),
    Row(
        "flat.mp4",
        "turned, tags, MP3",
        f"{SOUND} {BT709} -metadata title=Trip -c:a libmp3lame",
        "! -metadata:s:v:0 rotate=90",
        out="flat.ts",
        changes={"times": "start 0.00 → 0.08 s", "tags": "title: Trip → None", "shape": "90 → 0"},
        said=("no place for the picture's rotation", "no place for the tags title"),
    ),
    Row(
        "for_old.mp4",
        "H.264, MP3",
        f"{SOUND} {BT709} -c:a libmp3lame",
        out="for_old.avi",
        changes={"times": "moved; length 0.48 → 0.52 s", "sound": "mp3: moved by 0.025 s"},
        said=("avi counts all times from zero",),
    ),
)
