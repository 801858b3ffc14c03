# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The steps behind tests/run: packages, builds and suites. Expects $top and $verbose.

: "${top:?} ${verbose:=no}"
passed=0
failed=0
skipped=0
side_by_side=(-j"$(nproc)") # make's options; in a lane of suites (lanes.sh) it has them already
scratch=$(mktemp -d)
locks=$scratch
trap 'rm -rf "$scratch"' EXIT

packages=(
    # build
    gcc make libc6-dev autoconf automake autoconf-archive libtool pkg-config gettext autopoint
    libglib2.0-dev libglib2.0-dev-bin libgnutls28-dev nettle-dev libgmp-dev libnl-3-dev libnl-route-3-dev
    libcap-ng-dev libnftables-dev libseccomp-dev libnm-dev network-manager libsecret-1-dev libgtk-4-dev
    libadwaita-1-dev libgtk-3-dev libnma-dev libnma-gtk4-dev libdbusmenu-glib-dev desktop-file-utils appstream
    # tests
    check libjson-glib-dev clang llvm python3 procps elfutils openssl ca-certificates systemd groff-base fish zsh
    # the test bed's gateway and tools
    iproute2 iputils-ping iperf3 nftables conntrack dbus python3-dbusmock charon-systemd strongswan-swanctl charon-cmd
    libstrongswan-standard-plugins libstrongswan-extra-plugins libcharon-extauth-plugins libcharon-extra-plugins
    dnsmasq-base polkitd tcpdump softhsm2 opensc
    # the test bed's desktop
    xvfb openbox x11-utils xdotool imagemagick at-spi2-core python3-gi gir1.2-gtk-3.0 gir1.2-gtk-4.0
    adwaita-icon-theme librsvg2-common fonts-dejavu-core locales gnome-keyring libsecret-tools
    network-manager-gnome xfce4-panel lxqt-panel mate-panel mate-xapp-status-applet xapp-sn-watcher
    # the plugin that bench nm measures beside ours
    network-manager-strongswan
    # pictures of bench
    gnuplot-nox
)

# A library of ciphers that there is for one architecture only.
if [ "$(dpkg --print-architecture)" = amd64 ]; then packages+=(libipsec-mb-dev); fi

# Versions with the security fixes that tests hold the client to: names excluded from a certification
# authority's domain have no case (CVE-2026-35331's class, in GnuTLS).
at_least=(libgnutls28-dev=3.7.9-2+deb12u7)

say()
{
    printf '%s\n' "$*" >&2
}

fail()
{
    say "tests/run: $*"
    exit 2
}

# quietly WHAT COMMAND...: runs it; its output shows with -v, or when it fails.
quietly()
{
    local what=$1 log
    shift
    if [ "$verbose" = yes ]; then
        "$@" >&2
        return
    fi
    log=$scratch/output
    if ! "$@" >"$log" 2>&1; then
        tail -n 60 "$log" >&2
        fail "$what failed"
    fi
}

missing_packages()
{
    local package version wanted=("${packages[@]}")
    # libFuzzer's library is a package of its own, with the number of clang's version in its name.
    if ! compgen -G '/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*' >/dev/null; then
        wanted+=(libclang-rt-dev)
    fi
    for package in "${wanted[@]}"; do
        if ! dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$'; then
            printf '%s\n' "$package"
        fi
    done
    for package in "${at_least[@]}"; do
        version=$(dpkg-query -W -f '${Version}' "${package%%=*}" 2>/dev/null || true)
        if [ -n "$version" ] && dpkg --compare-versions "$version" lt "${package#*=}"; then
            printf '%s\n' "${package%%=*}"
        fi
    done
}

deps()
{
    local missing
    mapfile -t missing < <(missing_packages)
    if [ ${#missing[@]} -gt 0 ]; then
        [ "$(id -u)" -eq 0 ] || fail "root is needed to install: ${missing[*]}"
        say "Installing ${#missing[@]} packages (once, some minutes): ${missing[*]}"
        export DEBIAN_FRONTEND=noninteractive
        quietly "apt-get update" apt-get update -q
        quietly "apt-get install" apt-get install -q -y --no-install-recommends "${missing[@]}"
        # The package starts a gateway for the whole machine; the tests start their own.
        if [ -d /run/systemd/system ] && [[ " ${missing[*]} " == *" charon-systemd "* ]]; then
            systemctl disable --now strongswan.service >/dev/null 2>&1 || true
        fi
    fi
    if ! id godwit >/dev/null 2>&1; then
        [ "$(id -u)" -eq 0 ] || fail "root is needed to create the system user godwit"
        say "Creating the system user godwit, as which godwit-tunnel runs"
        useradd --system --user-group --no-create-home --home-dir /nonexistent \
            --shell /usr/sbin/nologin godwit
    fi
}

# What would take over this machine's own DNS, were it installed, and the library of the same version:
# the test bed runs it from build/unpacked/.
unpacked=(systemd-resolved libsystemd-shared openresolv)

# download PACKAGE...: into the current folder; lists of packages may be missing or old.
download()
{
    # apt's own user could not write there, which it would tell of at length.
    local command=(apt-get -o APT::Sandbox::User=root download -q)
    "${command[@]}" "$@" >/dev/null 2>&1 ||
        { quietly "apt-get update" apt-get update -q && quietly "apt-get download" "${command[@]}" "$@"; }
}

# unpack PACKAGE...: each to a folder of its own, without their scripts, and without touching the machine.
unpack()
{
    local debs deb
    debs=$(mktemp -d "$scratch/debs.XXXXXX")
    (cd "$debs" && download "$@")
    for deb in "$debs"/*.deb; do
        dpkg -x "$deb" "build/unpacked/$(dpkg-deb -f "$deb" Package)"
    done
}

unpack_resolvers()
{
    local stamp=build/unpacked/stamp
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(cat /etc/debian_version) ${unpacked[*]}" ]; then
        return
    fi
    say "Unpacking ${unpacked[*]} (once)"
    rm -rf build/unpacked
    mkdir -p build/unpacked
    unpack "${unpacked[@]}"
    echo "$(cat /etc/debian_version) ${unpacked[*]}" >"$stamp"
}

# configure_arguments DIR: the configure arguments of a build directory, one a line. With the address
# sanitizer -O1 is compiled in three quarters of the time and as fast; its warnings are others than those
# that -Werror is for.
configure_arguments()
{
    case $1 in
    build) ;;
    build-asan) printf '%s\n' --enable-sanitizers --disable-werror 'CFLAGS=-O1 -g' ;;
    build-tsan) echo --enable-sanitizers=thread ;;
    build-fuzz) printf '%s\n' --enable-fuzzers CC=clang ;;
    build-cov) echo --enable-coverage ;;
    esac
}

# made_in DIR: the goals of make.
made_in()
{
    case $1 in
    build-tsan) echo bench-programs tests/testbed/cable ;; # what the threads of the datapath need
    *) echo all ;;
    esac
}

# build DIR: one at a time, as two of make in one folder would be in each other's way.
build()
{
    local lock
    exec {lock}>"$locks/$1.lock"
    flock "$lock"
    build_alone "$1"
    exec {lock}>&-
}

# build_alone DIR: configures when it must, then lets make do what is left.
build_alone()
{
    local directory=$1 arguments=() goals=()
    if [ ! -x configure ] || [ configure.ac -nt configure ] || [ Makefile.am -nt Makefile.in ]; then
        say "Preparing the build system (autoreconf)"
        quietly autoreconf autoreconf -fi
    fi
    if [ ! -f "$directory/config.status" ] || [ configure -nt "$directory/config.status" ]; then
        say "Configuring $directory"
        mkdir -p "$directory"
        mapfile -t arguments < <(configure_arguments "$directory")
        (cd "$directory" && quietly configure ../configure --enable-werror -q \
            "${arguments[@]+"${arguments[@]}"}")
    fi
    # Automake's rule for config.h never counts as up to date; only compiling is worth a line.
    if make -C "$directory" -n -o config.h all-am 2>/dev/null | grep -- ' -o ' >/dev/null; then
        say "Building $directory"
    fi
    read -r -a goals < <(made_in "$directory")
    quietly "the build" make -s -C "$directory" "${side_by_side[@]+"${side_by_side[@]}"}" "${goals[@]}"
}

# test_programs DIR PREFIX: the entries of automake's TESTS below tests/PREFIX/. Everything that
# is not a simulation counts as a unit test.
test_programs()
{
    local name
    # shellcheck disable=SC2016 # make expands $(TESTS)
    for name in $(cd "$1" && printf 'include Makefile\nprint-tests:\n\t@echo $(TESTS)\n' |
        make -s -f - print-tests); do
        case $name in
        tests/sim/*) [ "$2" = sim ] && echo "$name" ;;
        *) [ "$2" = unit ] && echo "$name" ;;
        esac
    done
    return 0
}

# count_log BASE: adds the results of one program to the totals. A program on Check counts with
# its cases, another one as one test.
count_log()
{
    local checks failures errors result=FAIL
    if [ -f "$1.trs" ]; then
        result=$(sed -n 's/^:test-result: *\([A-Z]*\).*/\1/p' "$1.trs" | head -n 1)
    fi
    local pattern='s/^[0-9]+%: Checks: ([0-9]+), Failures: ([0-9]+), Errors: ([0-9]+)$/\1 \2 \3/p'
    read -r checks failures errors < <(sed -nE "$pattern" "$1.log" 2>/dev/null |
        awk '{c += $1; f += $2; e += $3} END {print c + 0, f + 0, e + 0}')
    case $result in
    PASS | XFAIL)
        [ "$checks" -gt 0 ] || checks=1
        passed=$((passed + checks))
        ;;
    SKIP)
        skipped=$((skipped + 1))
        say "skip ${1#*/}: $(tail -n 1 "$1.log" 2>/dev/null)"
        ;;
    *)
        failures=$((failures + errors))
        [ "$failures" -gt 0 ] || failures=1
        failed=$((failed + failures))
        [ "$checks" -lt "$failures" ] || passed=$((passed + checks - failures))
        say "FAIL $1"
        grep -E ':[FE]:|ERROR: |runtime error|SUMMARY' "$1.log" 2>/dev/null | head -n 20 >&2 || true
        say "     log: $1.log"
        ;;
    esac
}

# automake_suite DIR unit|sim
automake_suite()
{
    local directory=$1 programs base
    build "$directory"
    mapfile -t programs < <(test_programs "$directory" "$2")
    if [ ${#programs[@]} -eq 0 ]; then
        skipped=$((skipped + 1))
        say "skip $2: there are no such tests"
        return
    fi
    for base in "${programs[@]}"; do
        rm -f "$directory/${base%.sh}.trs" "$directory/${base%.sh}.log"
    done
    # A failure shows in the .trs files; a test that does not compile leaves none.
    make -s -C "$directory" "${side_by_side[@]+"${side_by_side[@]}"}" check TESTS="${programs[*]}" \
        >"$directory/check-$2.log" 2>&1 || true
    if [ "$verbose" = yes ]; then cat "$directory/check-$2.log" >&2; fi
    play_again "$directory" "${programs[@]}"
    for base in "${programs[@]}"; do
        base=$directory/${base%.sh}
        if [ ! -f "$base.trs" ]; then
            grep -E 'error|Error' "$directory/check-$2.log" | head -n 20 >&2 || true
        fi
        count_log "$base"
    done
}

# play_again DIR PROGRAM...: what failed beside others gets a second run by itself, as in run.py; the
# first one is told, and its log kept.
play_again()
{
    local directory=$1 program base result
    shift
    for program in "$@"; do
        base=${program%.sh}
        result=$(sed -n 's/^:test-result: *\([A-Z]*\).*/\1/p' "$directory/$base.trs" 2>/dev/null)
        if [ "$result" != FAIL ]; then continue; fi
        say "FAIL $base, at first:"
        grep -E ':[FE]:|ERROR: |runtime error|SUMMARY' "$directory/$base.log" | head -n 20 >&2 || true
        cp "$directory/$base.log" "$directory/$base.first.log"
        rm -f "$directory/$base.trs" "$directory/$base.log"
        make -s -C "$directory" check TESTS="$program" >"$directory/check-again.log" 2>&1 || true
        if grep -q 'test-result: *PASS' "$directory/$base.trs" 2>/dev/null; then
            say "unsteady, well the second time: $base"
        fi
    done
}

# add_totals LINE: adds "N passed, N failed, N skipped".
add_totals()
{
    local numbers pattern='s/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p'
    read -r -a numbers < <(sed -nE "$pattern" <<<"$1") || true
    if [ ${#numbers[@]} -ne 3 ]; then
        failed=$((failed + 1))
        say "FAIL the test bed ended without its totals"
        return
    fi
    passed=$((passed + numbers[0]))
    failed=$((failed + numbers[1]))
    skipped=$((skipped + numbers[2]))
}

# testbed DIR ARGUMENTS...
testbed()
{
    local directory=$1 options=()
    shift
    unpack_resolvers
    if [ "$verbose" = yes ]; then options+=(-v); fi
    /usr/bin/python3 tests/testbed/run.py --build "$directory" "${options[@]+"${options[@]}"}" "$@"
}

# testbed_suite DIR testbed|roam|leaks|desktop
testbed_suite()
{
    local output=$scratch/testbed
    build "$1"
    testbed "$1" --suite "$2" | tee "$output" || true
    add_totals "$(tail -n 1 "$output")"
}

# The datapath's threads with the thread sanitizer: the scenarios that need nothing else.
threads_suite()
{
    local output=$scratch/threads
    build build-tsan
    testbed build-tsan datapath | tee "$output" || true
    add_totals "$(tail -n 1 "$output")"
}

# How much that computes runs side by side.
at_once()
{
    local free=0
    if [ ${#side_by_side[@]} -eq 0 ] && [ ! -e "$locks/handed-over" ]; then free=1; fi
    echo $(($(nproc) - free))
}

# fuzz NAME: its seeds and then a few seconds of new inputs.
fuzz()
{
    local name=$1 corpus=build-fuzz/corpus/$1 seeds=()
    mkdir -p "$corpus"
    if [ -d "tests/fuzz/corpus/$name" ]; then seeds=("tests/fuzz/corpus/$name"); fi
    rm -f "build-fuzz/$name.ok"
    "build-fuzz/tests/fuzz/$name" -max_total_time="${FUZZ_SECONDS-5}" -timeout=5 \
        -rss_limit_mb=1024 -verbosity=0 -print_final_stats=1 -artifact_prefix="build-fuzz/$name-" \
        "$corpus" "${seeds[@]+"${seeds[@]}"}" >"build-fuzz/$name.log" 2>&1 &&
        touch "build-fuzz/$name.ok"
}

fuzz_suite()
{
    local target names=() name log
    build build-fuzz
    for target in build-fuzz/tests/fuzz/fuzz_*; do
        if [ ! -x "$target" ] || [ ! -f "$target" ]; then continue; fi
        while [ "$(jobs -rp | wc -l)" -ge "$(at_once)" ]; do wait -n || true; done
        names+=("${target##*/}")
        fuzz "${target##*/}" &
    done
    wait
    for name in "${names[@]}"; do
        log=build-fuzz/$name.log
        if [ -f "build-fuzz/$name.ok" ]; then
            passed=$((passed + 1))
            echo "ok $name $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs"
        else
            failed=$((failed + 1))
            echo "FAIL $name"
            grep -E 'ERROR|runtime error|SUMMARY|Test unit written' "$log" | head -n 10
            echo "     log: $log"
        fi
    done
}

# What is tracked must be in the tarball, but for files of git and editors.
tarball_is_whole()
{
    local missing
    missing=$(git ls-files -- ':!:.*' ':!:*/.*' |
        grep -vxFf <(tar -tf build/godwit-*.tar.xz | sed 's|^[^/]*/||' | grep .) || true)
    if [ -n "$missing" ]; then printf 'EXTRA_DIST lacks:\n%s\n' "$missing"; fi
    [ -z "$missing" ]
}

# Tests that need a file of the source: a tarball must have it, at its place.
readers_of_the_source()
{
    grep -lE 'vectors_load\(|daemon_bed\.h' tests/unit/test_*.c | sed 's/\.c$//'
    echo tests/check-*
}

# failures_below DIR: those of automake's tests, with what they said last.
failures_below()
{
    local trs log
    while read -r trs; do
        log=${trs%.trs}.log
        echo "FAIL ${log#"$1/"}"
        grep -E ':[FE]:|ERROR: |runtime error|SUMMARY' "$log" | head -n 20 || true
        tail -n 15 "$log"
    done < <(grep -rlE --include='*.trs' '^:test-result: *(FAIL|ERROR|XPASS)' "$1")
}

# The tarball, in a source that is read-only and out of it: it is whole, builds, is installed, leaves
# nothing. How it is compiled and what it does is what the other suites are about.
dist_suite()
{
    local log=build/distcheck.log programs
    build build
    rm -rf build/godwit-*.tar.xz
    programs=$(readers_of_the_source | tr '\n' ' ')
    if make -C build "${side_by_side[@]+"${side_by_side[@]}"}" distcheck TESTS="$programs" \
        DISTCHECK_CONFIGURE_FLAGS=CFLAGS=-O0 >"$log" 2>&1 && tarball_is_whole >>"$log"; then
        passed=$((passed + 1))
        echo "ok distcheck"
    else
        failed=$((failed + 1))
        echo "FAIL distcheck"
        failures_below build/godwit-*/_build
        tail -n 30 "$log"
    fi
}

suite()
{
    local before="$passed $failed $skipped" numbers began=$SECONDS
    say "== $1"
    case $1 in
    unit | sim) automake_suite build "$1" ;;
    unit-asan | sim-asan) automake_suite build-asan "${1%-asan}" ;;
    testbed | roam | leaks | desktop) testbed_suite build "$1" ;;
    testbed-asan) testbed_suite build-asan testbed ;;
    threads) threads_suite ;;
    fuzz) fuzz_suite ;;
    dist) dist_suite ;;
    esac
    read -r -a numbers <<<"$before"
    echo "$1: $((passed - numbers[0])) passed, $((failed - numbers[1])) failed," \
        "$((skipped - numbers[2])) skipped in $((SECONDS - began)) s"
}

# Runs unit and sim in a build with counters and prints what was reached, folder by folder.
# coverage [NAME...]: what unit and sim reach, and those scenarios. godwit-tunnel, which may write no
# files, counts by its tests alone.
coverage()
{
    build build-cov
    find build-cov -name '*.gcda' -delete
    automake_suite build-cov unit
    automake_suite build-cov sim
    if [ $# -gt 0 ]; then
        find build-cov -name '*.gcda' -exec chmod a+rw {} +
        testbed build-cov "$@" || failed=$((failed + 1))
    fi
    /usr/bin/python3 tests/testbed/coverage.py build-cov client gui nm-plugin
    say "What nothing reached: build-cov/unreached"
    [ "$failed" -eq 0 ] || fail "$failed tests failed"
}

# wireguard-go of Debian 13, which bench measures ours beside, at build/bench/wireguard-go: found by
# apt's signed lists of that release, in folders of its own. Without it the measurement goes on.
unpack_wireguard()
{
    local folder=$scratch/trixie uri deb program=build/bench/wireguard-go
    if [ -x "$program" ]; then return; fi
    # shellcheck disable=SC2016 # apt fills it in
    uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' |
        sed -n 1p)
    mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial" build/bench
    printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\nSigned-By: %s\n' \
        "$uri" /usr/share/keyrings/debian-archive-keyring.gpg >"$folder/trixie.sources"
    local options=(-q -o APT::Sandbox::User=root -o Dir::Etc::sourcelist="$folder/trixie.sources"
        -o Dir::Etc::sourceparts=- -o Dir::State::lists="$folder/lists"
        -o Dir::Cache="$folder/cache" -o Acquire::Languages=none)
    if ! (cd "$folder" && apt-get "${options[@]}" update &&
        apt-get "${options[@]}" download 'wireguard-go=0.0.20231211*') >"$folder/log" 2>&1; then
        say "wireguard-go of Debian 13 cannot be had from this machine's mirror; measured without it."
        return
    fi
    deb=$(echo "$folder"/wireguard-go_*.deb)
    dpkg -x "$deb" "$folder/unpacked"
    cp "$folder/unpacked/usr/bin/wireguard-go" "$program"
}
