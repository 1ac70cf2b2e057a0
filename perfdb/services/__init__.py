"""The service under test, and the balancer before it: started, told apart, watched, ended.

benchmark/      an environment on openenv-core, as the runbook measures it
lean/           the same protocol with next to no cost, so that a client's ceiling can be told from a server's
envoy/          the balancer's config, its program, and what its admin port answers
running/        all of them as one service, in the foreground until stopped
preflight/      whether a service is fit to be measured
"""
