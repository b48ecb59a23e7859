#!/usr/bin/env bash
# Provides libroc 0.4: an installed one, else the archive's package, else one built from Debian's
# own signed source packages into a per-user cache. Prints nothing when it is there. When it cannot
# be had it says why in one line, and succeeds: everything but audio works without.
#
#   native/libroc.sh [--again]     --again also if it was tried in vain within the last day
set -euo pipefail

RECIPE=1 # counts what changes the build below
SUITES=(trixie sid)
RUN_TIME=(libuv1 libspeexdsp1 libstdc++6)
BUILD=(g++ cmake make pkgconf scons ragel gengetopt libuv1-dev libspeexdsp-dev dpkg-dev xz-utils)
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
NO_ONE_WAITS=(-o Acquire::http::Timeout=20 -o Acquire::Retries=1)
CACHE=${XDG_CACHE_HOME:-~/.cache}/midipool
LOG=$CACHE/libroc.log

main() {
    ! is_there || return 0
    has apt-get || give_up "no apt-get here" "install libroc 0.4 (Homebrew: roc-toolkit)"
    mkdir -p "$CACHE"
    exec 8>>"$CACHE/libroc.lock"
    flock -n 8 || { say "waiting for another setup to provide libroc"; flock 8; }
    ! is_there || return 0
    [[ ${1:-} == --again || -z $(find "$CACHE/libroc-failed" -mmin -1440 2>/dev/null) ]] || return 0
    rm -rf "$CACHE"/building.* # of one that was cut off
    install_package || build
    rm -f "$CACHE/libroc-failed"
}

# ---- is it there? ----

is_there() { [[ -n ${MIDIPOOL_LIBROC:-} ]] || is_installed || is_built; }

is_installed() {
    [[ $(PATH=$PATH:/usr/sbin:/sbin ldconfig -p 2>/dev/null) == *libroc.so.0.4* ||
        -e /opt/homebrew/lib/libroc.0.4.dylib || -e /usr/local/lib/libroc.0.4.dylib ]]
}

is_built() { compgen -G "$CACHE/libroc-0.4.*-$(key)/stamp" >/dev/null; }

key() { # another recipe, machine or system release is another build
    (. /etc/os-release 2>/dev/null; echo "$RECIPE $(uname -m) ${ID:-} ${VERSION_ID:-}") |
        sha256sum | cut -c-12
}

# ---- the archive's package ----

install_package() {
    local advice="as root: apt-get update && apt-get install -y --no-install-recommends libroc0.4"
    ((EUID)) || logged apt-get "${NO_ONE_WAITS[@]}" update || true
    [[ -n $(apt-cache show libroc0.4 2>/dev/null) ]] || return 1
    find_root || give_up "it is not installed" "$advice"
    say "installing libroc0.4"
    install libroc0.4 || give_up "its package cannot be installed" "$advice"
}

# ---- Debian's source packages ----

build() {
    local uri
    work=$(mktemp -d "$CACHE/building.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    build_packages
    uri=$(archive_uri)
    [[ -n $uri && -r $KEYRING ]] || give_up "no Debian archive here to build it from" "install libroc 0.4"
    say "building libroc, once for this user: about a minute"
    sources "$uri" || give_up "its source packages cannot be fetched (see $LOG)" "look after the network"
    logged openfec && logged roc || give_up "it does not build (see $LOG)" "please report it"
    keep
}

build_packages() {
    local package missing=()
    for package in "${RUN_TIME[@]}" "${BUILD[@]}"; do
        [[ $(dpkg-query -Wf '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
            missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    local advice="as root: apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
    find_root || give_up "packages to build it with are missing" "$advice"
    say "installing what libroc is built with: ${missing[*]}"
    install "${missing[@]}" || give_up "packages to build it with cannot be installed" "$advice"
}

# The archive that this machine's own apt uses for Debian proper: neither updates nor security.
archive_uri() {
    apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(CODENAME) $(REPO_URI)' \
        'Created-By: Packages' | awk '$1 == "Debian" && $2 == "main" && $3 !~ /-/ {print $4; exit}'
}

# An apt tree of its own: the system's apt is never touched. Tarballs come with signed checksums.
sources() {
    local suite package apt
    mkdir -p "$work"/apt/{lists,cache/archives}/partial "$work/source"
    for suite in "${SUITES[@]}"; do
        echo "deb-src [signed-by=$KEYRING] $1 $suite main"
    done >"$work/apt/sources.list"
    apt=(apt-get "${NO_ONE_WAITS[@]}" -o APT::Sandbox::User= -o Dir::State::Lists="$work/apt/lists"
        -o Dir::Cache="$work/apt/cache" -o Dir::Etc::SourceParts=/dev/null
        -o Dir::Etc::SourceList="$work/apt/sources.list")
    logged "${apt[@]}" update || return 1
    cd "$work/source"
    for package in openfec roc-toolkit; do
        for suite in "${SUITES[@]}"; do
            ! logged "${apt[@]}" source --tar-only --download-only --only-source "$package/$suite" ||
                continue 2
        done
        return 1
    done
    local tars=(roc-toolkit_0.4.*.orig.tar.*)
    [[ -e ${tars[0]} ]] || return 1
    version=${tars[0]#roc-toolkit_} version=${version%.orig.*} version=${version%+*}
    for package in openfec roc-toolkit; do
        mkdir "$package"
        tar -xf "$package"_*.orig.tar.* -C "$package" --strip-components=1
    done
}

openfec() { # static, so that nothing but libroc is kept
    cd "$work/source/openfec" &&
        sed -i -E '/add_subdirectory\((applis|tools|tests)/d' CMakeLists.txt &&
        cmake -S . -B build -DBUILD_STATIC_LIBS=ON -DDEBUG=OFF \
            -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DLIBRARY_OUTPUT_PATH="$work/lib" &&
        cmake --build build -j "$(nproc)"
}

roc() {
    local part options
    options=(-Q "-j$(nproc)" --prefix="$work/out" --with-libraries="$work/lib"
        --with-openfec-includes="$work/source/openfec/src")
    for part in libunwind openssl sox sndfile pulseaudio alsa; do options+=("--disable-$part"); done
    cd "$work/source/roc-toolkit" && scons "${options[@]}" && scons "${options[@]}" install
}

keep() { # under its last name all at once, and stamped last
    local target=$CACHE/libroc-$version-$(key)
    strip "$work"/out/lib/libroc.so.0.4 "$work"/out/bin/* 2>/dev/null || true
    rm -rf "$work"/out/{include,share,lib/pkgconfig} "$target"
    mv "$work/out" "$target"
    touch "$target/stamp"
}

# ---- small words ----

install() {
    logged "${as_root[@]}" apt-get "${NO_ONE_WAITS[@]}" -o DPkg::Lock::Timeout=300 \
        install -y --no-install-recommends "$@"
}

find_root() { # what as_root goes before, root runs
    as_root=(env DEBIAN_FRONTEND=noninteractive)
    ((EUID)) || return 0
    as_root=(sudo "${as_root[@]}")
    has sudo || return 1
    ! sudo -n true 2>/dev/null || return 0
    [[ -t 0 ]] && say "sudo is asked to install what libroc needs" && sudo -v
}

has() { command -v "$1" >/dev/null; }
say() { printf 'setup: %s\n' "$*" >&2; }
logged() { "$@" </dev/null >>"$LOG" 2>&1; }
give_up() {
    say "going on without libroc, which audio needs: $1; $2; then: ./run setup"
    touch "$CACHE/libroc-failed" 2>/dev/null || true
    exit 0
}

main "$@"
