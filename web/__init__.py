"""HTTP: read the request, check it, ask the shop, answer.

How to write a file of routes
=============================

One file per group of routes, named like the thing (`orders.py`), registered by one line in `web/app.py`:

    \"\"\"Orders over HTTP: placing them, reading them.\"\"\"

    from web.access import CUSTOMER, OWNER_OR_SUPPORT
    from web.answers import Answer, Settling, accepted
    from web.call import Call
    from web.models import In, Maybe, Out, Time
    from web.paging import Page, Paged, page_of
    from web.routes import Group

    GROUP = Group("Orders", "From the cart to the parcel.")


    class NewOrder(In):                          # what comes in: unknown fields refused, JSON types taken literally
        cart_id: str = Field(min_length=1, max_length=100)
        payment_method: str | None = None


    class OrderBody(Out):                        # what goes out; model_validate(row) takes a dataclass row
        id: str
        status: str
        created_at: Time
        rejection: Maybe[RejectionBody] = None   # Maybe: left out of the JSON when None


    @GROUP.route(
        "POST", "/v1/orders", who=CUSTOMER, keyed=True, waits=True,
        answers={202: OrderBody, 201: OrderBody}, errors=(place.CartIsSomebodyElses,),
    )
    def place_order(call: Call, body: NewOrder) -> Answer:
        \"\"\"Place an order.

        The first line is the summary in the documentation, the rest its text.
        \"\"\"
        order = place.begin(call.db, customer_id=call.customer_id, cart_id=body.cart_id)
        return accepted(
            OrderBody.model_validate(order),
            location=f"/v1/orders/{order.id}",
            settling=Settling(
                load=lambda db: queries_of_orders.read(db, order.id),
                settled=lambda now: now.status != "placing",
                answer=lambda now: Answer(OrderBody.model_validate(now), 201, location=f"/v1/orders/{now.id}"),
            ),
        )


    @GROUP.route("GET", "/v1/orders/{order_id}", who=OWNER_OR_SUPPORT, answers={200: OrderBody})
    def show(call: Call, order_id: str) -> OrderBody:
        \"\"\"One order.\"\"\"
        order = read.order(call.db, order_id)    # raises NotFound
        call.must_own(order.customer_id)         # 404 unless it is the caller's, or the caller has the role
        return OrderBody.model_validate(order)


    @GROUP.route("GET", "/v1/orders", who=CUSTOMER, answers={200: Page[OrderBody]})
    def listed(call: Call, query: OrderFilter) -> Page[OrderBody]:     # class OrderFilter(Paged): status: ...
        \"\"\"The caller's orders, newest first.\"\"\"
        rows = read.orders(call.db, call.customer_id, before=query.after_id(), limit=query.limit + 1)
        return page_of(rows, query.limit, body=OrderBody.model_validate, place=lambda row: (row.id,))

What a handler takes: `call`, every `{name}` of its path as str, and if it wants them `body: SomeIn`, `query: SomeIn`,
or `raw: bytes` (for signed, gzipped or ndjson bodies; then `accepts=`, maybe `body=`, `gzip=True`, `max_body=`).
What it returns: a body (200), an `Answer`, or a Flask Response for what is not JSON (PDF, CSV, a stream).
What it raises: anything of shop.errors; `Rejected` becomes its status and code, `NotYet` a 503 with Retry-After.

Who may call (`who=`): PUBLIC, ANYONE (token or X-Visitor-Id taken when sent), VISITOR (one of the two needed),
SIGNED_IN, CUSTOMER, SUPPORT, ADMIN, only("admin", "service"), OWNER, OWNER_OR_SUPPORT, owner_or("admin").
`admin` includes `support`. The caller is `call.caller` (sub, email, roles, visitor_id); `call.customer_id` is its sub.

Keyed routes (`keyed=True`, the K of the contract): the key, the answer and everything the handler writes through
`call.db` are ONE transaction; `call.db.transaction()` is a savepoint inside it. So a handler may call a shop function
that opens its own transaction on the `db` it is given, and all of it commits with the key or not at all. A `Rejected`
undoes what the handler wrote and is kept as the answer; anything else that is raised keeps nothing. After the commit,
`settling` (with the real database as its argument) makes Prefer: wait work, and the answer that the caller waited for
replaces the one that was kept: a repeat gets what the first request got. Without a wait that is the 202.
A keyed handler therefore must not call the outside world (no handler may), nor count on another connection
seeing what it wrote.

Reading with Prefer: wait (GET): `return call.settled(Settling(...), found=row)`.

Streams: `web.streams.stream(call, source)` for server-sent events.

Limits: every route counts 1,200 requests a minute per caller together; `limit=Limit(30)` gives a route its own,
`Limit(30, bucket="refunds")` one that several share, UNLIMITED none.
"""
