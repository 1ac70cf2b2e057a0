"""What was seen of the servers and of the balancer meanwhile, and what a fault cost."""
