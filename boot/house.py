"""The settings that say who the shop is, in the shape its documents take."""

import base64
import binascii
from functools import cache
from pathlib import Path

from boot.settings import Settings
from shop.documents.seller import Logo, Seller

KINDS = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}

LARGEST_LOGO = 1 << 20
"""A megabyte: it travels in every invoice, and a logo needs a hundredth of it."""


class WrongLogo(ValueError):
    """SHOP_LOGO names no picture that can be printed; the message says why."""


def seller(settings: Settings) -> Seller:
    """Raises WrongLogo."""
    return Seller(
        name=settings.shop_name,
        address=settings.shop_address,
        tax_id=settings.shop_tax_id,
        zone=settings.zone,
        invoice_series=settings.invoice_series,
        country=settings.shop_country,
        street=settings.shop_street,
        postal_code=settings.shop_postal_code,
        city=settings.shop_city,
        email=settings.shop_email,
        imprint=settings.shop_imprint,
        logo=logo(settings.shop_logo),
        locale=settings.shop_locale,
    )


@cache
def logo(where: str) -> Logo | None:
    """The picture of a path or a `data:` address, read once; None where none is set. Raises WrongLogo."""
    if not where:
        return None
    found = _of_address(where) if where.startswith("data:") else _of_file(Path(where))
    if len(found.content) > LARGEST_LOGO:
        raise WrongLogo(f"SHOP_LOGO is larger than {LARGEST_LOGO >> 20} MB")
    return found


def _of_file(path: Path) -> Logo:
    media_type = KINDS.get(path.suffix.lower())
    if media_type is None:
        raise WrongLogo(f"SHOP_LOGO is {path.name}: it must be an SVG, PNG or JPEG")
    try:
        return Logo(media_type, path.read_bytes())
    except OSError as error:
        raise WrongLogo(f"SHOP_LOGO cannot be read: {error}") from error


def _of_address(address: str) -> Logo:
    head, _, body = address.partition(",")
    media_type = head.removeprefix("data:").removesuffix(";base64")
    if media_type not in KINDS.values() or not head.endswith(";base64"):
        raise WrongLogo("SHOP_LOGO as a data: address must be base64 of image/svg+xml, image/png or image/jpeg")
    try:
        return Logo(media_type, base64.b64decode(body, validate=True))
    except binascii.Error as error:
        raise WrongLogo("SHOP_LOGO is not base64") from error
