"""One driver per channel: each hides a platform behind what a person there can do and see."""
