"""Every kind of job there is: its name, its queue and how hard it is tried.

Job `area.verb` runs `verb()` in the one `verb.py` of `shop/area`; its door is in `tasks/`, in the file named like its
queue.
"""

from db.outbox import Job

# payments: short, all waiting is network
PLACE_ORDER = Job("payments.place", queue="payments", max_attempts=8, time_limit_s=120)
CONFIRM_PAYMENT = Job("payments.confirm", queue="payments", max_attempts=8, time_limit_s=120)
CAPTURE_PAYMENT = Job("payments.capture", queue="payments", max_attempts=20, time_limit_s=120)
CANCEL_ORDER = Job("payments.cancel", queue="payments", max_attempts=20, time_limit_s=120)
REFUND_PAYMENT = Job("payments.refund", queue="payments", max_attempts=20, time_limit_s=120)
READ_DELIVERY = Job("payments.inbox", queue="payments", max_attempts=12, head_start_s=-5)
GIVE_BACK = Job("payments.give_back", queue="payments", max_attempts=20, time_limit_s=120)
FORGET_DELIVERIES = Job("payments.forget", queue="payments", max_attempts=3, time_limit_s=900, head_start_s=60)
RELEASE_STOCK = Job("payments.release", queue="payments", max_attempts=20)
OPEN_SETUP = Job("payments.setup", queue="payments", max_attempts=8)
DETACH_METHOD = Job("payments.detach", queue="payments", max_attempts=20, head_start_s=30)
CLEAR_CART = Job("payments.clear", queue="payments", max_attempts=20, head_start_s=30)
RECONCILE_PAYMENTS = Job("payments.reconcile", queue="payments", max_attempts=3, time_limit_s=7200, head_start_s=60)
SETTLE_MOVEMENTS = Job("payments.settle", queue="payments", max_attempts=5, time_limit_s=600, head_start_s=60)
RESOLVE_DIFFERENCE = Job("payments.resolve", queue="payments", max_attempts=8, time_limit_s=120)
VERIFY_LEDGER = Job("payments.verify", queue="payments", max_attempts=3, time_limit_s=3600, head_start_s=60)
WATCH_PAYMENTS = Job("payments.watch", queue="payments", max_attempts=3, head_start_s=30)
LOOK_AT_PAYMENTS = Job("payments.look", queue="payments", max_attempts=5)
ANSWER_DISPUTE = Job("payments.answer", queue="payments", max_attempts=20, time_limit_s=120)
REMIND_OF_DISPUTES = Job("payments.remind", queue="payments", max_attempts=3, head_start_s=30)
SWEEP_PAYMENTS = Job("payments.sweep", queue="payments", max_attempts=3, time_limit_s=300, head_start_s=30)
FETCH_KEYS = Job("identity.keys", queue="payments", max_attempts=5)

# documents: drawing and mailing, slow and never urgent for the money
ISSUE_INVOICE = Job("documents.invoice", queue="documents", max_attempts=15, time_limit_s=180)
ISSUE_CREDIT_NOTE = Job("documents.credit", queue="documents", max_attempts=15, time_limit_s=180)
ISSUE_DEBIT_NOTE = Job("documents.debit", queue="documents", max_attempts=15, time_limit_s=180)
DRAW_EVIDENCE = Job("documents.evidence", queue="documents", max_attempts=15, time_limit_s=180)
SEND_MAIL = Job("documents.mail", queue="documents", max_attempts=15)

# embeddings: the only process with a model for whole catalogues
IMPORT_PRODUCTS = Job("search.catalog", queue="embeddings", max_attempts=5, time_limit_s=900)
SYNC_PRODUCTS = Job("search.sync", queue="embeddings", max_attempts=12, time_limit_s=600)
EMBED_PRODUCTS = Job("search.embed", queue="embeddings", max_attempts=8, time_limit_s=1800)
REFRESH_SUGGESTIONS = Job("search.suggest", queue="embeddings", max_attempts=3, time_limit_s=300, head_start_s=-10)
RECOMMEND_PRODUCTS = Job("search.recommend", queue="embeddings", max_attempts=3, time_limit_s=1800, head_start_s=30)
LEARN_FROM_SEARCHES = Job("search.learn", queue="embeddings", max_attempts=3, time_limit_s=900, head_start_s=30)
SUM_UP_SEARCHES = Job("search.sum_up", queue="embeddings", max_attempts=3, time_limit_s=900, head_start_s=30)
REPLAY_SEARCHES = Job("search.replay", queue="embeddings", max_attempts=5, time_limit_s=1800, head_start_s=30)
RECOUNT_SEARCHES = Job("search.recount", queue="embeddings", max_attempts=3, time_limit_s=3600, head_start_s=60)
REINDEX_PRODUCTS = Job("search.reindex", queue="embeddings", max_attempts=5, time_limit_s=1800, head_start_s=60)
FORGET_VECTORS = Job("search.forget", queue="embeddings", max_attempts=5, time_limit_s=1800, head_start_s=60)
REWEIGH_PRODUCTS = Job("search.reweigh", queue="embeddings", max_attempts=5, time_limit_s=1800, head_start_s=60)

# analytics
DRAIN_EVENTS = Job("analytics.ingest", queue="analytics", max_attempts=5, head_start_s=-10)
MAKE_PARTITIONS = Job("analytics.partitions", queue="analytics", max_attempts=5, time_limit_s=300)
NOTE_ORDER_FACTS = Job("analytics.order_facts", queue="analytics", max_attempts=3, time_limit_s=900)
DERIVE_SESSIONS = Job("analytics.sessions", queue="analytics", max_attempts=3, time_limit_s=900)
REFRESH_TRENDING = Job("analytics.trending", queue="analytics", max_attempts=3, time_limit_s=300)
FILL_LIVE_COUNTERS = Job("analytics.live_counters", queue="analytics", max_attempts=3, head_start_s=-10)
RECOUNT_EVENTS = Job("analytics.recount", queue="analytics", max_attempts=3, time_limit_s=3600, head_start_s=60)
REPLAY_QUARANTINED = Job("analytics.replay", queue="analytics", max_attempts=5, time_limit_s=900)
RETRACE_STEPS = Job("analytics.retrace", queue="analytics", max_attempts=3, time_limit_s=3600, head_start_s=60)
TALLY_REVENUE = Job("analytics.tally", queue="analytics", max_attempts=3, time_limit_s=1800)
WATCH_SIGNALS = Job("analytics.watch", queue="analytics", max_attempts=2, time_limit_s=300)
NIGHTLY_REPORT = Job("analytics.report", queue="analytics", max_attempts=8, time_limit_s=900)
EXPORT_PERSON = Job("analytics.export", queue="analytics", max_attempts=8, time_limit_s=300)
ERASE_PERSON = Job("analytics.erase", queue="analytics", max_attempts=8, time_limit_s=300)
PRUNE = Job("operations.prune", queue="analytics", max_attempts=3, time_limit_s=900)

QUEUES = ("payments", "documents", "embeddings", "analytics")
