"""Names that ``--help`` lists, apart from the encoders so that it loads no codec."""

#: Speed presets from fastest to smallest, by x264's names; other encoders get what is nearest.
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
CODECS = ("h264", "hevc", "av1", "vp9", "ffv1")
HARDWARE = ("nvenc", "qsv", "videotoolbox", "vaapi", "amf")
