#!/usr/bin/env bash
# Nodes for deploy/slurm/serve_multi.sh, in a shell of their own:    WORKERS=2 ./deploy/slurm/alloc.sh
#
#   WORKERS          worker nodes; one more is allocated for Envoy    default: 4
#   CPUS_PER_WORKER  CPUs of each node                                default: 2
#   MEM_PER_CPU      memory per CPU                                   default: 100M
#   TIME             time limit                                       default: 1:30:00
#   PARTITION        partition                                        default: hopper-cpu
#
# Further arguments go to salloc: a command to run instead of a shell, for instance. Leaving the shell ends it all.
set -euo pipefail

nodes=$((${WORKERS:-4} + 1))
unset WORKERS # in the new shell it would be taken for the processes of each server
exec salloc --job-name=benchmark-env --nodes="$nodes" --ntasks-per-node=1 --cpus-per-task="${CPUS_PER_WORKER:-2}" \
    --mem-per-cpu="${MEM_PER_CPU:-100M}" --time="${TIME:-1:30:00}" --partition="${PARTITION:-hopper-cpu}" "$@"
