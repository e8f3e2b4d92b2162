"""PostgreSQL without opinions about the shop: connections, migrations, the job table."""
