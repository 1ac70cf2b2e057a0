#!/usr/bin/env bash
# The conda way in: one environment with Python 3.11 from conda-forge, then the same pinned packages as `make setup`.
set -euo pipefail

readonly PYTHON_VERSION=3.11

usage() {
    cat <<'TEXT'
Usage: step_01_build_conda_env.sh CONDA_DIR ENV_NAME

Create the conda environment ENV_NAME with Python 3.11 and perfdb, or bring it up to this checkout's pins.
Running it again is safe, also after an interruption.

  CONDA_DIR  where conda is installed, for example "$HOME/.miniconda3"
  ENV_NAME   letters, digits, '.', '_' and '-', beginning with a letter or a digit, for example perfdb

Exit codes: 0 done; 1 conda or pip failed; 2 wrong usage; 130 interrupted.
TEXT
}

fail() { # EXIT_CODE MESSAGE...: one paragraph on stderr
    local code=$1
    shift
    printf 'step_01_build_conda_env.sh: %s\n' "$*" >&2
    exit "$code"
}

check_arguments() { # CONDA_DIR ENV_NAME
    local conda_dir=$1 env_name=$2
    if [[ ! -d $conda_dir ]]; then
        fail 2 "there is no folder '$conda_dir', so no conda in it." \
            "Install Miniconda or Miniforge there, or give the folder that 'conda info --base' prints."
    fi
    if [[ ! -x $conda_dir/bin/conda ]]; then
        fail 2 "'$conda_dir' holds no bin/conda, so it is not where conda is installed." \
            "Give the folder that 'conda info --base' prints."
    fi
    if [[ ! $env_name =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]]; then
        fail 2 "'$env_name' is no name for an environment: use letters, digits, '.', '_' and '-', beginning with" \
            "a letter or a digit, for example: step_01_build_conda_env.sh '$conda_dir' perfdb"
    fi
    if [[ $env_name == base ]]; then
        fail 2 "perfdb's pins would replace packages that conda itself runs on, so it is not put into 'base'." \
            "Choose another name, for example: step_01_build_conda_env.sh '$conda_dir' perfdb"
    fi
}

build_env() { # CONDA ENV_DIR
    local conda=$1 env_dir=$2
    # conda-meta is what makes a folder an environment. An empty one is made first: whatever then cuts the long part
    # short leaves an environment behind that the next run can go on with.
    if [[ ! -d $env_dir/conda-meta ]]; then
        if [[ -e $env_dir ]]; then
            fail 1 "'$env_dir' exists and is not a conda environment." \
                "Look into it, remove it or choose another name, and run this again."
        fi
        "$conda" create --yes --prefix "$env_dir" ||
            fail 1 "conda could not create the environment '$env_dir'; what it said stands above." \
                "Mend that (permissions, disk space) and run this again."
    fi
    # Only conda-forge: the default channels ask organisations for a licence.
    "$conda" install --yes --prefix "$env_dir" --override-channels --channel conda-forge \
        "python=$PYTHON_VERSION" pip ||
        fail 1 "conda could not install Python $PYTHON_VERSION into '$env_dir'; what it said stands above." \
            "Mend that (network, disk space) and run this again."
}

install_perfdb() { # ENV_PYTHON REPOSITORY
    local python=$1 repository=$2 pip
    pip=("$python" -m pip install --disable-pip-version-check)
    # The user's own site-packages must not stand in for a pin.
    export PYTHONNOUSERSITE=1
    "${pip[@]}" --require-hashes --requirement "$repository/requirements/base.txt" ||
        fail 1 "pip could not install the pinned packages; what it said stands above." \
            "Mend that (network, package index, disk space) and run this again."
    "${pip[@]}" --no-deps --no-build-isolation --editable "$repository" ||
        fail 1 "pip could not install perfdb itself from '$repository'; what it said stands above." \
            "Check that the checkout is whole ('git status' in it) and run this again."
}

main() {
    if [[ ${1-} == -h || ${1-} == --help ]]; then
        usage
        exit 0
    fi
    if (($# != 2)); then
        usage >&2
        fail 2 "two arguments are needed, CONDA_DIR and ENV_NAME; there were $#."
    fi
    trap 'fail 130 "interrupted; run it again to go on."' INT TERM
    check_arguments "$1" "$2"

    local conda_dir repository env_dir
    conda_dir=$(cd -- "$1" && pwd)
    repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
    env_dir=$conda_dir/envs/$2

    build_env "$conda_dir/bin/conda" "$env_dir"
    install_perfdb "$env_dir/bin/python" "$repository"

    printf '\nperfdb is ready in the conda environment %s. To use it:\n\n' "$2"
    printf '    source %q\n    conda activate %q\n' "$conda_dir/etc/profile.d/conda.sh" "$2"
}

main "$@"
