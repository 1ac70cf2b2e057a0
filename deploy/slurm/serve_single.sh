#!/usr/bin/env bash
# One benchmark server on one node:    sbatch deploy/slurm/serve_single.sh
#
#   WORKERS              server processes              default: the node's CPUs of this job
#   MAX_CONCURRENT_ENVS  sessions that each holds      default: 100
#   PORT                 TCP port                      default: 8000
#   PARTITION            where to run                  default: the cluster's own
#   PERFDB               the perfdb to run             default: .venv/bin/perfdb below the current folder, else the one on PATH
#
# Its log, benchmark-env-server_<job>.log, says on the line `Node:` where the server is.
#SBATCH --job-name=benchmark-env-server
#SBATCH --output=benchmark-env-server_%j.log
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=64
#SBATCH --mem=100G
#SBATCH --time=02:00:00
set -euo pipefail

if [[ -z ${SLURM_JOB_ID:-} ]]; then
    exec sbatch ${PARTITION:+--partition="$PARTITION"} "$@" "$0" # started by hand: submit it
fi
if [[ -n ${PARTITION:-} && $PARTITION != "${SLURM_JOB_PARTITION:-$PARTITION}" ]]; then
    # sbatch itself knows SBATCH_PARTITION only.
    echo "This is partition $SLURM_JOB_PARTITION; submitting again for $PARTITION."
    cd "$SLURM_SUBMIT_DIR"
    exec sbatch --partition="$PARTITION" --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" --mem="${SLURM_MEM_PER_NODE:-0}" "$0"
fi

# The address by which Slurm knows a node. Nodes that share one machine, as a pocket cluster's do, share its loopback
# address: each then takes one of its own, by the number in its name.
address_of() {
    local known number=${1##*[!0-9]}
    known=$(scontrol show node "$1" | sed -n 's/.*NodeAddr=\([^ ]*\).*/\1/p')
    if [[ $known == 127.* ]]; then
        echo "127.0.0.$((2 + 10#${number:-0}))"
    else
        getent ahostsv4 "${known:-$1}" | awk 'NR == 1 { print $1 }'
    fi
}

perfdb=${PERFDB:-$SLURM_SUBMIT_DIR/.venv/bin/perfdb}
[[ -n ${PERFDB:-} || -x $perfdb ]] || perfdb=perfdb
command -v "$perfdb" >/dev/null || {
    echo "No perfdb on this node: set PERFDB to one that every node sees, such as PERFDB=\$PWD/.venv/bin/perfdb." >&2
    exit 1
}
port=${PORT:-8000}
workers=${WORKERS:-${SLURM_CPUS_PER_TASK:-1}}
sessions=${MAX_CONCURRENT_ENVS:-100}
address=$(address_of "${SLURMD_NODENAME:-$(hostname)}")
[[ -n $address ]] || {
    echo "The node ${SLURMD_NODENAME:-$(hostname)} has no address that can be looked up here." >&2
    exit 1
}
echo "Job: $SLURM_JOB_ID"
echo "Node: $address"
echo "URL: http://$address:$port"
echo "Workers: $workers, up to $sessions sessions each"
exec "$perfdb" serve benchmark --host "$address" --port "$port" --workers "$workers" --max-concurrent-envs "$sessions"
