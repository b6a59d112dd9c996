"""What a file is, if it is not a picture that can be read: people want the true reason, and what to do."""

from __future__ import annotations

_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs", "a Git LFS pointer, not the picture itself: git lfs pull fetches it"),
    (b"%PDF", "a PDF, which is not read"),
    (b"%!PS", "PostScript, which is not read: it may run code"),
    (b"\xc5\xd0\xd3\xc6", "EPS, which is not read: it may run code"),
    (b"8BPS", "a Photoshop file, which is not read: save it as PNG"),
    (b"\xff\x0a", "JPEG XL, which is not read: save it as PNG or JPEG"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL, which is not read: save it as PNG or JPEG"),
    (b"\x00\x05\x16\x07", "a macOS metadata file, not the picture itself"),
    (b"SIMPLE  =", "FITS, which is not read: save it as TIFF"),
    (b"\x89HDF\r\n\x1a\n", "HDF5, which is not read: save its pictures as PNG or TIFF"),
    (b"\x93NUMPY", "a NumPy array, which is not read: save it as PNG or TIFF"),
    (b"PK\x03\x04", "a zip archive, not a picture"),
    (b"Rar!", "a RAR archive, not a picture"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive, not a picture"),
    (b"\x1f\x8b", "a gzip archive, not a picture"),
    (b"\0\0\x01\0", "an icon (ICO), which is not read: save it as PNG"),
    (b"\x76\x2f\x31\x01", "OpenEXR, which is not read: save it as TIFF"),
    (b"#?RADIANCE", "Radiance HDR, which is not read: save it as TIFF"),
    (b"\xd7\xcd\xc6\x9a", "WMF, which is not read: it may run code"),
    (b"gimp xcf", "a GIMP file, which is not read: export it as PNG"),
    (b"P7\n", "a PAM file, which is not read: save it as PNG"),
    (b"IIRO", "a camera raw file, which is not read: save it as JPEG or TIFF"),
    (b"FUJIFILMCCD-RAW", "a camera raw file, which is not read: save it as JPEG or TIFF"),
    (b"\x7fELF", "a program, not a picture"),
    (b"MZ", "a program, not a picture"),
)


def foreign(head: bytes) -> str:
    """What the file is, and what to do; empty if its first bytes do not tell.

    Args:
        head: its first 512 bytes, or all of them if it is shorter.
    """
    if not head:
        return "the file is empty"
    if not head.strip(b"\0"):
        return "it contains only zeros: its download or copy did not finish"
    for start, words in _STARTS:
        if head.startswith(start):
            return words
    if head[128:132] == b"DICM":
        return "DICOM, which is not read: export it as 16-bit PNG or TIFF"
    if head[4:8] == b"ftyp":
        raw = head[8:11] == b"crx"
        return "a camera raw file, which is not read: save it as JPEG or TIFF" if raw else "a video, not a picture"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "a web page, not a picture: the download went wrong"
    if b"<svg" in text:
        return "SVG, which is not read: it may run code"
    if text.startswith((b"<?xml", b"<")):
        return "XML, not a picture"
    if text[:1] in (b"{", b"["):
        return "text (JSON), not a picture: the download may have gone wrong"
    return ""
