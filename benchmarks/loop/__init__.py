"""The loop, measured whole in a world whose truth is hidden from it."""
