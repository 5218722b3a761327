"""Programs in a single file each, to read from top to bottom; `groundswell demo` runs `flights`."""

__all__: list[str] = []
