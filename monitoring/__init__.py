"""What watches a running shop from outside: Prometheus, its alert rules, Grafana's pages."""
