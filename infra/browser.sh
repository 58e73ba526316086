#!/bin/sh
# Installs what browser tests need, Debian's chromium and its driver, unless they are there already.
#
# One rule: where that is not possible, one clear sentence says so on standard error, and the exit code is 4.
set -eu

stop() {
    echo "$*" >&2
    exit 4
}

if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then
    exit 0
fi
command -v apt-get >/dev/null ||
    stop "Browser tests need chromium and chromedriver on the PATH, and there is no apt-get to install them. Install them, then run make browser again."
[ "$(id -u)" = 0 ] ||
    stop "Installing chromium and chromium-driver needs root. Run apt-get install chromium chromium-driver as root, then make test again."
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium chromium-driver >/dev/null ||
    stop "chromium and chromium-driver could not be installed (apt-get's message is above). Solve that, then run make browser again."
