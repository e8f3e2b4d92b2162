"""A stand-in for Stripe's API in test mode; it is not made by Stripe and moves no money.

`app.running()` serves one from a thread, `python -m devstack.stand_ins.stripe` as a process of its own. It speaks
exactly one version of the API (`app.API_VERSION`), keeps its state in memory and listens on loopback.
"""
