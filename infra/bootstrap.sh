#!/bin/sh
# Makes .venv and installs into it what a lock file lists, unless that is already done.
#
#   sh infra/bootstrap.sh base    what the product needs
#   sh infra/bootstrap.sh dev     the same, and what checks and tests need
#
# One rule: whatever stands in the way ends in one clear sentence on standard error and exit code 4.
set -eu

NEEDED_MB=1500 # an installation takes about 0.8 GB, and pip unpacks before it moves
OLDEST="3.11"

stop() {
    echo "$*" >&2
    exit 4
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# The first usable interpreter, or a sentence about the best one found.
find_python() {
    trouble="Lakeport needs Python $OLDEST or newer, and there is no python3 on the PATH. Install it, then run make again."
    for name in python3 python3.13 python3.12 python3.11; do
        # A command may exist and still not run (a version manager's stand-in): ask it.
        version=$("$name" -c 'import platform; print(platform.python_version())' 2>/dev/null) || continue
        if ! is_new_enough "$name"; then
            trouble="Lakeport needs Python $OLDEST or newer, and $name is Python $version. Install a newer one, then run make again."
        elif ! "$name" -c 'import ensurepip, venv' 2>/dev/null; then
            trouble="Python $version ($name) cannot make virtual environments. Install its venv module (Debian, Ubuntu: apt install $name-venv), then run make again."
        else
            python=$name
            return
        fi
    done
    stop "$trouble"
}

check_folder() {
    (mkdir -p .venv && : >.venv/.probe && rm -f .venv/.probe) 2>/dev/null ||
        stop "The folder $PWD/.venv cannot be made or written. Make it writable or copy the project elsewhere, then run make again."
}

check_space() {
    free_kb=$(df -Pk . 2>/dev/null | awk 'NR == 2 { print $4 }')
    case $free_kb in
    '' | *[!0-9]*) return ;; # a file system that does not say
    esac
    [ "$((free_kb / 1024))" -ge "$NEEDED_MB" ] ||
        stop "There are $((free_kb / 1024)) MB free for $PWD/.venv, and installing needs $NEEDED_MB MB. Free some space, then run make again."
}

make_venv() {
    if is_new_enough .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1; then
        return
    fi
    find_python
    echo "Making .venv with Python $version ..."
    "$python" -m venv --clear .venv ||
        stop "Python $version ($python) could not make .venv (its message is above). Solve that, then run make again."
}

pip_install() {
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --no-compile --no-deps "$@" ||
        stop "Installing was not possible (pip's message is above). Solve that, then run make again; what is done is kept."
}

# Byte code saves seconds at every start. Written here once, also where PYTHONDONTWRITEBYTECODE keeps Python from it.
# Some packages hold templates that are no valid Python: that is no failure.
compile_code() {
    .venv/bin/python -m compileall -qq -j 0 .venv/lib/python*/site-packages "$@" >/dev/null 2>&1 || true
}

checksum() {
    echo "$PWD $(cksum "$@")"
}

done_before() {
    [ "$(cat ".venv/$1.stamp" 2>/dev/null)" = "$2" ]
}

main() {
    set_name=${1:-}
    case $set_name in
    base | dev) ;;
    *) stop "usage: sh infra/bootstrap.sh base|dev" ;;
    esac
    cd "$(dirname "$0")/.."
    lock=$(checksum "requirements/$set_name.txt")
    project=$(checksum pyproject.toml)
    if .venv/bin/python -c '' 2>/dev/null && done_before "$set_name" "$lock" && done_before project "$project"; then
        return
    fi

    check_folder
    done_before "$set_name" "$lock" || check_space
    make_venv
    if ! done_before "$set_name" "$lock"; then
        echo "Installing requirements/$set_name.txt (some minutes the first time) ..."
        rm -f ".venv/$set_name.stamp"
        pip_install --require-hashes -r "requirements/$set_name.txt"
    fi
    rm -f .venv/project.stamp
    pip_install --no-build-isolation --editable .
    compile_code lakehouse pipelines portal
    echo "$lock" >".venv/$set_name.stamp"
    checksum requirements/base.txt >.venv/base.stamp # the dev lock holds the base lock
    echo "$project" >.venv/project.stamp
}

main "$@"
