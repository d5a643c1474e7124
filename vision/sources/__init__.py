"""Where pictures come from."""

from vision.sources.pictures import (
    PictureInfo,
    PictureLimits,
    decode_picture,
    inspect_picture,
    make_thumbnail,
)

__all__ = ["PictureInfo", "PictureLimits", "decode_picture", "inspect_picture", "make_thumbnail"]
