"""Small whole pictures of every format, and damage done to them; benchmarks and tests share it."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np

# Dark on the left, light on the right, 16 x 16 pixels, as an iPhone packs them; writing HEIC needs a GPL library.
_HEIC = (
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAXxtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAA"
    "AAAERAAAEAAQAAAAABoAABAAAAAAAAAMYAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA/GlwcnAA"
    "AADcaXBjbwAAAHVodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQApQgEBA3AAAAMAkA"
    "AAAwAAAwAeoCCBBZbqrprm4CGgwIAAAAyAAAADAIRiAAEABkQBwXPBiQAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAA"
    "AChjbGFwAAAAEAAAAAEAAAAQAAAAAf///9AAAAAC////0AAAAAIAAAAQcGl4aQAAAAADCAgIAAAAGGlwbWEAAAAAAAAAAQABBYECAwWEAAAAzm"
    "1kYXQAAADCKAGvBjIanK6AXZ5K6JvuDoyky+g9HHolshiFtCt+LJDBPf7z9d6r8gnHWptqieX/njj6p/Ag6wswGc9S74xuyiKJfvrRB+oHMiWG"
    "OPQ3jeOkwLZgACKkeQ/YnG1xBwH73rfTBi+xrAegEsn1pc0g0hRFFeXXCELBq+rfw9+37fQAvfAAFaATt6lZ5B/Ewy12yUAHjICdjx/rGxlsqj"
    "o5elveWZGcleCFjvbl7ruKqokwABo+ikJOxBTZgW4bfk00qjg="
)


def heic() -> bytes:
    """A HEIC file: 20 on the left, 230 on the right."""
    return base64.b64decode(_HEIC)


def png(colour: int, bits: int, rows: np.ndarray, *more: tuple[bytes, bytes]) -> bytes:
    """A PNG of any colour type and depth, with further chunks before its pixels.

    Args:
        colour: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGBA.
        bits: a channel.
        rows: what stands in each row, big-endian.
        more: name and content of chunks.
    """
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    size = struct.pack(">IIBBBBB", rows.shape[1] // channels, len(rows), bits, colour, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    chunks = ((b"IHDR", size), *more, (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )
