"""x264's speed presets, from fastest to smallest; apart from the encoder so that ``--help`` loads no codec."""

PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
