"""A stand-in for Stripe's API in test mode; it is not made by Stripe and moves no money.

`app.running()` serves one from a thread, `python -m devstack.stand_ins.stripe` as a process of its own. It speaks
exactly one version of the API (`account.API_VERSION`), keeps its state in memory and with `--state FILE` between runs
too, and listens on loopback.

Beside Stripe's routes and the doors of all stand-ins it has doors of its own (doors.py), JSON in and out:

    POST /standin/clock            {"advance": seconds}                    time passes, and what is due happens
    POST /standin/3ds/{intent}     {"outcome": "succeed"|"fail"}           ends a challenge; GET shows a page for people
    POST /standin/next-payment     {"status": "processing", "times"?}      the next confirmations stay in processing
    POST /standin/payments/{pi}    {"outcome": "succeed"|"fail", "card"?}  ends that, declined as that test card is
    POST /standin/next-refund      {"status": "pending"|"requires_action"|"succeeded", "times"?}
    POST /standin/refunds/{id}     {"outcome": "succeed"|"fail"}           settles a pending one, or fails any
    POST /standin/disputes         {"charge", "reason"}                    opens one; the reason "inquiry" only asks
    POST /standin/disputes/{id}    {"outcome": "won"|"lost"|"under_review"|"warning_closed"|"needs_response"|…}
    POST /standin/payouts/{id}     {"outcome": "succeed"|"fail"}           ends one that is on its way
    POST /standin/settlement       {"currency": "usd"|null, "rate"?}       books in that currency from now on
    POST /standin/deliveries       {"mode": "normal"|"drop"|"double"|"delay"|"shuffle", "for": n, "seconds"?}
    GET  /standin/deliveries       what was tried, newest first
    GET  /standin/state            counts and objects

A planned fault of kind "status" answers without an endpoint having run, so no idempotency key keeps it; with
`"stored": true` it is an endpoint that failed, and its answer is replayed, as Stripe replays its own 500s.
"""
