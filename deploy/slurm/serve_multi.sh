#!/usr/bin/env bash
# Envoy on the first node of an allocation, benchmark servers on the others:    ./deploy/slurm/serve_multi.sh
# Run it in the shell of deploy/slurm/alloc.sh or of salloc; it returns once all are healthy. In a batch job it stays.
#
#   OPENENV_PORT         port of the servers                   default: 8000
#   ENVOY_PORT           port of Envoy                         default: 8000
#   WORKERS_PER_NODE     processes of each server              default: the CPUs of each task
#   MAX_CONCURRENT_ENVS  sessions that each process holds      default: 100
#   USE_CONTAINER        true: run in CONTAINER_IMAGE, with podman      default: false
#   CONTAINER_IMAGE      an image with perfdb[scaling]
#   PERFDB               the perfdb to run                     default: .venv/bin/perfdb here, else the one on PATH
#
# Writes into the current folder, which all nodes must see: openenv-connection.env, envoy-config-generated.yaml and the logs
# benchmark-env-*.log. One service at a time in one folder.
set -euo pipefail

patience_s=300

fail() {
    echo "serve_multi: $*" >&2
    exit 1
}

[[ -n ${SLURM_JOB_ID:-} ]] || fail "there is no allocation here. Get one first: WORKERS=2 ./deploy/slurm/alloc.sh"
mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
((${#nodes[@]} >= 2)) || fail "one node is not enough: the first one is Envoy's, so allocate one more than you want workers."
job=$SLURM_JOB_ID
port=${OPENENV_PORT:-8000}
envoy_port=${ENVOY_PORT:-8000}
cpus=${SLURM_CPUS_PER_TASK:-1}
workers=${WORKERS_PER_NODE:-$cpus}

perfdb=(perfdb)
if [[ ${USE_CONTAINER:-false} == true ]]; then
    image=${CONTAINER_IMAGE:-}
    [[ -n $image ]] || fail "USE_CONTAINER is true: name an image that has perfdb[scaling] with CONTAINER_IMAGE."
    command -v podman >/dev/null || fail "USE_CONTAINER is true, and there is no podman on this node. Leave it out, or install it." \
        "For another engine, name with PERFDB a script that runs perfdb in it."
    # podman's container is no child of Slurm's step and would outlive it. So it has an input that ends with the step, however
    # that is ended, and ends with its input.
    # shellcheck disable=SC2016
    inside='exec 3<&0; perfdb "$@" & server=$!; { cat <&3 >/dev/null; kill "$server"; } & wait "$server"'
    # shellcheck disable=SC2016
    engine='exec podman run --interactive --rm --network=host --volume "$PWD:$PWD" --workdir "$PWD" "$@" < <(exec sleep infinity)'
    perfdb=(bash -c "$engine" podman "$image" sh -c "$inside" perfdb)
elif [[ -n ${PERFDB:-} ]]; then
    perfdb=("$PERFDB")
elif [[ -x .venv/bin/perfdb ]]; then
    perfdb=("$PWD/.venv/bin/perfdb")
fi
command -v "${perfdb[0]}" >/dev/null || fail "there is no ${perfdb[0]} here: set PERFDB to one that every node sees."

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

# A step on one node, by that name in `squeue --steps`, in a session of its own: it outlives this script, and ends with
# the allocation.
start_on() {
    local name=$1 node=$2 log=$3
    shift 3
    setsid srun --job-name="$name" --overlap --nodes=1 --ntasks=1 --cpus-per-task="$cpus" --nodelist="$node" --export=ALL \
        "${perfdb[@]}" serve "$@" </dev/null >"$log" 2>&1 &
    steps+=($!)
}

steps=()
trap '((${#steps[@]})) && kill "${steps[@]}" 2>/dev/null' EXIT
rm -f openenv-connection.env # an old one would be taken for the sign that all is well
server_log=benchmark-env-server_$job.log
backends=()
: >"$server_log"
for node in "${nodes[@]:1}"; do
    address=$(address_of "$node")
    [[ -n $address ]] || fail "the node $node has no address that can be looked up here."
    start_on worker "$node" "benchmark-env-worker_${job}_$node.log" benchmark --host "$address" --port "$port" \
        --workers "$workers" --max-concurrent-envs "${MAX_CONCURRENT_ENVS:-100}"
    backends+=(--backend "$address:$port")
    echo "Node: $address" | tee -a "$server_log"
done
envoy=$(address_of "${nodes[0]}")
[[ -n $envoy ]] || fail "the node ${nodes[0]} has no address that can be looked up here."
envoy_log=benchmark-env-envoy_$job.log
# For the log of whoever measures it; they end up in openenv-connection.env.
export PERFDB_OPENENV_SERVER_COMMAND=$0 PERFDB_OPENENV_CPUS_PER_NODE=$cpus PERFDB_OPENENV_WORKERS_PER_NODE=$workers
start_on envoy "${nodes[0]}" "$envoy_log" balancer --host "$envoy" --port "$envoy_port" "${backends[@]}"
echo "Envoy: $envoy" | tee -a "$server_log"

for ((waited = 0; waited < patience_s * 2; waited++)); do
    [[ ! -e openenv-connection.env ]] || break
    for step in "${steps[@]}"; do
        kill -0 "$step" 2>/dev/null || {
            tail -n 3 "$envoy_log" benchmark-env-worker_"${job}"_*.log >&2
            fail "a server ended before all were healthy; its last words are above."
        }
    done
    sleep 0.5
done
[[ -e openenv-connection.env ]] || {
    tail -n 3 "$envoy_log" benchmark-env-worker_"${job}"_*.log >&2
    fail "not all were healthy within $patience_s s; the last words of each are above."
}
echo "All are healthy. Next: source openenv-connection.env"
if [[ ${ENVIRONMENT:-} == BATCH ]]; then
    wait # the end of a batch script is the end of its job
fi
trap - EXIT
disown -a
