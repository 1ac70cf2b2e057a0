"""What five documents name that people come from: collected by hand, apart by ` | `, by the section of the page."""

from __future__ import annotations

import re

PARSL_PERF_RUNS = """
parsl-perf-runs | sudo | step_01_build_conda_env.sh | /home/<username>/.miniconda3 | parsl-mlflow | miniconda |
conda-forge | pip | source /home/<username>/.miniconda3/etc/profile.d/conda.sh | conda activate parsl-mlflow |
parsl-configs | naming convention | kind | rancavil/slurm-cluster | giovtorres/slurm-docker-cluster |
run-parsl-perf.py | <my_parsl_config.py> | parsl-perf | MLFlow | parameters | metrics | run times | results |
branch | git | add | commit | push | pull request
"""

AUTOSCALE = """
Slurm | Munge | cgroup | NFS | shared_parsl | parsl_autoscale_test | parsl_env | node0 | HighThroughputExecutor |
SlurmProvider | init_blocks=0 | min_blocks=0 | max_blocks=3 | experiment.py | num_tasks | duration | slow_task |
time.time() | submission_times | completion_times | result.split('on node ') | node_results | node_task_map |
first_seen | first_submit | === AUTOSCALE EVENT | Node acquisition latency | latency | batch_experiment.py |
batch logs | analyze_batch.py | min | max | average | per-event statistics | plot_allocation.py | 2.5s/core |
27.87s/8 cores | plot_coldstart_overlap.py
"""

OPENENV = """
openenv-slurm | sinfo | squeue -u $USER | sinfo -p hopper-cpu | pip install -e . | pip install -e ".[analysis]" |
python -c "from benchmark.server.app import app; print('OK')" | sbatch deploy/slurm/serve_single.sh |
--cpus-per-task | --mem | --time | #SBATCH --mem=200G | PARTITION=debug sbatch deploy/slurm/serve_single.sh |
JOB_ID | SLURM_NODE_IP | SLURM_JOB_ID | squeue -j $JOB_ID | scontrol show job $JOB_ID | scancel $JOB_ID |
scancel $SLURM_JOB_ID | exit | tail -f benchmark-env-server_${JOB_ID}.log |
grep "Node:" benchmark-env-server_${JOB_ID}.log | /health | curl -s http://${SLURM_NODE_IP}:8000/health |
WORKERS | MAX_CONCURRENT_ENVS | PORT | SLURM_CPUS_PER_TASK |
salloc --nodes=3 --cpus-per-task=48 --time=2:00:00 --partition=hopper-cpu | deploy/slurm/alloc.sh |
CPUS_PER_WORKER | MEM_PER_CPU | TIME | PARTITION | deploy/slurm/serve_multi.sh | OPENENV_PORT | ENVOY_PORT |
WORKERS_PER_NODE | USE_CONTAINER | openenv-connection.env | source openenv-connection.env | OPENENV_URL |
WORKER_NODES | NUM_WORKERS | ENVOY_NODE | Pre-flight checks | http://${ENVOY_NODE}:9901/clusters |
openenv_cluster | health_flags | envoy-config-generated.yaml | ps aux | grep -i error benchmark-env-*.log |
round-robin | WebSocket connections are sticky | tests/test_scaling.py | --url | --requests-grid | --wait-grid |
--reps | --output-dir | -n | --wait | --expected-hosts | --require-hosts |
experiments/results/slurm-single/$(date +%Y-%m-%d) | experiments/results/slurm-multi/$(date +%Y-%m-%d) |
experiments/results/single-node-ceiling/$(date +%Y-%m-%d) | experiments/results/multi-node-ceiling/$(date +%Y-%m-%d) |
raw.jsonl | summary.csv | host_url | unique_hosts |
unique_hosts = 1 | error_rate | batch_size | pd.read_csv | find_ceiling | Phase 1 | until ~50% success | Phase 2 |
Phase 3 | num_workers | single_ceiling | multi_ceiling | expected_ceiling | scaling_efficiency |
Scaling efficiency | Scaling factor | Single-node ceiling | Multi-node ceiling | Expected Results |
Target 100k+ envs | Log Entry Template | wait_s | Max Batch | p99 Latency | Success % | RPS | Unique hosts seen |
Load distribution | matplotlib | max_batch | Uneven Load Distribution
"""

MINI_SLURM = """
mini-slurm submit | --elastic | --cpus | --min-cpus | --max-cpus | --mem | --priority |
"python3 tasks/elastic_training.py" | tasks/elastic_training.py | tasks/train_neural_network.py | task1.py |
task2.py | python3 examples.py elastic | mini-slurm queue | ID | STAT | CPU | MEM(MB) | PRI | WAIT(s) | RUN(s) |
SUBMIT | COMMAND | ELASTIC | mini-slurm show | mini-slurm scheduler | --elastic-threshold | --disable-elastic |
Scale UP Policy | Scale DOWN Policy | ~/.mini_slurm_logs/job_<id>.control | CPUS | MEM_MB | MIN_CPUS | MAX_CPUS |
STATUS | SCALE_EVENT | MINI_SLURM_ELASTIC | MINI_SLURM_CURRENT_CPUS | MINI_SLURM_MIN_CPUS | MINI_SLURM_MAX_CPUS |
MINI_SLURM_CONTROL_FILE | SIGUSR1 | update_resources() | read_control_file() | is_elastic | min_cpus | max_cpus |
current_cpus | control_file | Log Scaling Events | Test at Min/Max |
Faster training when cluster is underutilized | Make room for important workloads | Preemption Handling |
Elastic Memory | GPU Elastic Scaling | Multi-Node Elastic | Checkpointing | Predictive Scaling |
Cost-Aware Scaling | Dynamic Scaling | Resource Resizing | Opportunistic Use | Control Channel |
signal_handler | train_epoch | Set Realistic Bounds | Handle Graceful Degradation | Poll Control File |
Use Signals for Responsiveness
"""

FLUENCE = """
gcloud container clusters create | --threads-per-core | --placement-type | --num-nodes | --region | --project |
--machine-type | GOOGLE_PROJECT | c2d-standard-8 |
kubectl apply -f https://github.com/cert-manager/cert-manager/releases/download/v1.13.1/cert-manager.yaml |
make test-deploy-recreate | operator-system | git clone --depth 1 --brance fluence-controller | REGISTRY |
SCHEDULER_IMAGE | SIDECAR_IMAGE | CONTROLLER_IMAGE | docker push | helm install | helm uninstall |
kubectl get pods | kubectl logs | results/scheduler-pods.json | results/nodes.json |
pip install -r requirements.txt | crd/pull-container.yaml | crd | lammps.yaml | run_experiments.py | --fluence |
--outdir | --config-name | lammps-two | lammps-two-three | lammps-six | lammps-large | --batches | --iters |
--cpus | --memory | time python | Would you like to continue? (yes/no)? | gcloud container clusters delete |
plot-lammps.py | scheduler | experiment | size-16-8-8-8 | total_time | batch-3 | batch-2 | default | fluence |
fluence-original | clogging | start / end time | multiprocessing | sometimes it hangs | raise |
functions as a service | workflow tool | --set | as-a-second-scheduler/ | test-cluster | flux-k8s |
kubectl get nodes | scheduler-plugins-controller | Minicluster | kubectl delete -f crd/pull-container.yaml |
results/size-2 | results/size-2-3 | test-fluence | test-six | test-large | size-8-8-8-8 | size-4-8-8-8
"""


def _names(text: str) -> tuple[str, ...]:
    return tuple(re.split(r" \|\s", text.strip()))


NAMED = {
    "parsl-perf-runs": _names(PARSL_PERF_RUNS),
    "the Parsl autoscale scripts": _names(AUTOSCALE),
    "openenv-scaling": _names(OPENENV),
    "mini-slurm's elastic guide": _names(MINI_SLURM),
    "the Fluence experiments": _names(FLUENCE),
}
"""By the heading `From …`, its names."""
