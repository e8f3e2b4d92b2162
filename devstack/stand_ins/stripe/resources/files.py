"""Files, such as evidence for disputes, uploaded as multipart forms; at Stripe they have a host of their own."""

import base64
from pathlib import PurePosixPath

from devstack.stand_ins.stripe.account import Account
from devstack.stand_ins.stripe.errors import ParameterError, StripeError
from devstack.stand_ins.stripe.lists import page, read_window
from devstack.stand_ins.stripe.params import Params
from devstack.stand_ins.stripe.routes import Route
from devstack.stand_ins.stripe.wire import Json

PURPOSES = (
    "account_requirement", "additional_verification", "business_icon", "business_logo", "customer_signature",
    "dispute_evidence", "identity_document", "pci_document", "tax_document_user_upload",
)  # fmt: skip
EVIDENCE = "dispute_evidence"
EVIDENCE_MOST = 5 * 1024 * 1024  # bytes, docs.stripe.com/file-upload
UPLOAD_MOST = 32 * 1024 * 1024  # characters of Base64; the largest file of any purpose has 16 MB
# What the bytes begin with decides, not what the name ends with.
KINDS = {b"%PDF-": "pdf", b"\x89PNG\r\n": "png", b"\xff\xd8\xff": "jpg"}


def create(account: Account, params: Params) -> Json:
    purpose = params.choice("purpose", *PURPOSES)
    uploaded = params.section("file")
    if purpose is None or uploaded is None:
        raise params.missing("purpose" if purpose is None else "file")
    name, written = (
        uploaded.text("filename") or "blob",
        uploaded.text("content", most=UPLOAD_MOST, clearable=True) or "",
    )
    params.close()
    content = base64.b64decode(written)
    kind = next((kind for start, kind in KINDS.items() if content.startswith(start)), None)
    _check(purpose, kind, len(content))
    made = account.new(
        "file",
        "file",
        expires_at=None,
        filename=PurePosixPath(name).name,
        purpose=purpose,
        size=len(content),
        title=None,
        type=kind,
    )
    made["links"] = {"object": "list", "data": [], "has_more": False, "url": f"/v1/file_links?file={made['id']}"}
    made["url"] = f"{account.cause.base_url}/v1/files/{made['id']}/contents"
    account.store.hidden(made)["content"] = written
    return made


def retrieve(account: Account, params: Params, file_id: str) -> Json:
    params.close()
    return account.store.get("file", file_id, param="file")


def list_all(account: Account, params: Params) -> Json:
    window, (first, last) = read_window(params), params.between("created")
    purpose = params.choice("purpose", *PURPOSES)
    params.close()
    found = [
        made
        for made in account.store.all("file")
        if first <= made["created"] <= last and purpose in {None, made["purpose"]}
    ]
    return page(found, window, "/v1/files", "file")


def content_of(account: Account, file_id: str) -> tuple[bytes, str]:
    """Return the bytes as they were uploaded, and their type."""
    made = account.store.get("file", file_id, param="file")
    kind = {"pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg"}.get(made["type"])
    return base64.b64decode(account.store.peek(file_id)["content"]), kind or "application/octet-stream"


def _check(purpose: str, kind: str | None, size: int) -> None:
    if not size:
        raise ParameterError("The file is empty.", param="file")
    if purpose != EVIDENCE:
        return
    if kind is None:
        message = "Evidence must be a PDF, a JPEG or a PNG file."
        raise StripeError(message, param="file")
    if size > EVIDENCE_MOST:
        message = f"Files for this purpose can have up to {EVIDENCE_MOST} bytes (this one has {size})."
        raise StripeError(message, param="file")


ROUTES = (
    Route("POST", "/v1/files", "file", create, multipart=True),
    Route("GET", "/v1/files", "file", list_all, in_list=True),
    Route("GET", "/v1/files/<file_id>", "file", retrieve),
)
