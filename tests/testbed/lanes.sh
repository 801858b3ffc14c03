# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Suites beside each other: those that wait for timers and gateways most of their time, each after
# the other, and those that compute. Expects steps.sh.

# What is timed has a processor to itself: the rest leaves one free, and steps back for it too. It may
# have that one when nothing is timed any more: make takes it from a pipe, where it then lies.
computes_beside()
{
    local i
    for ((i = 2; i < $(nproc); i++)); do printf + >&"$slots"; done
    # shellcheck disable=SC2034 # steps.sh builds by it
    side_by_side=()
    export MAKEFLAGS=" -j --jobserver-auth=$slots,$slots"
    renice -n 10 -p "$BASHPID" >/dev/null
}

# What the rest left free becomes its own.
hand_over()
{
    : >"$scratch/handed-over"
    printf + >&"$slots"
}

# waits SUITE
waits()
{
    case $1 in
    testbed | roam | leaks | desktop | testbed-asan) return 0 ;;
    *) return 1 ;;
    esac
}

# What a lane ends with when a suite of it was ended by something else than itself.
ENDED_EARLY=3

# lane NAME SUITE...: what a suite says is told in one piece, when it is over.
lane()
{
    local one status=0 told=$scratch/$1/told tells=$scratch/tells counts=$scratch/counts
    set +m
    scratch=$scratch/$1
    mkdir "$scratch"
    shift
    for one in "$@"; do
        say "begins: $one"
        # Not in the lane's own shell: it may end by fail().
        (
            suite "$one"
            echo "$passed $failed $skipped" >>"$counts"
        ) >"$told" 2>&1 &
        wait $! || status=$?
        flock "$tells" cat "$told"
        shift
        if [ "$status" -eq 2 ]; then exit 2; fi # fail() has said why
        if [ "$status" -ne 0 ]; then
            say "FAIL $one was ended early, with status $status${*:+; not run: $*}"
            echo "0 1 0" >>"$counts"
            exit "$ENDED_EARLY"
        fi
    done
}

lanes=()

end_lanes()
{
    if [ ${#lanes[@]} -gt 0 ]; then kill -- "${lanes[@]/#/-}" 2>/dev/null || true; fi
    lanes=()
}

leave_lanes()
{
    end_lanes
    rm -rf "$scratch"
}

# suites SUITE...: runs them and adds to the totals.
suites()
{
    local waiting=() computing=() one status broken=0 numbers
    for one in "$@"; do
        if waits "$one"; then waiting+=("$one"); else computing+=("$one"); fi
    done
    if [ ${#waiting[@]} -eq 0 ] || [ ${#computing[@]} -eq 0 ] || [ "$(nproc)" -lt 2 ]; then
        for one in "$@"; do suite "$one"; done
        return
    fi
    build build
    mkfifo "$scratch/slots"
    exec {slots}<>"$scratch/slots"
    set -m # so that each lane is a group of processes, which ends with us
    lane waiting "${waiting[@]}" </dev/null &
    lanes+=($!)
    (computes_beside && lane computing "${computing[@]}") </dev/null &
    lanes+=($!)
    trap leave_lanes EXIT
    for one in "${lanes[@]}"; do
        status=0
        wait "$one" || status=$?
        if [ "$one" = "${lanes[0]}" ]; then hand_over; fi
        case $status in
        0 | "$ENDED_EARLY") ;;
        2) broken=2 ;;
        *)
            say "FAIL a lane of suites was ended, with status $status"
            failed=$((failed + 1))
            ;;
        esac
    done
    # Whatever a suite that was ended has left behind.
    end_lanes
    [ "$broken" -eq 0 ] || exit "$broken"
    while read -r -a numbers; do
        passed=$((passed + numbers[0]))
        failed=$((failed + numbers[1]))
        skipped=$((skipped + numbers[2]))
    done < <(cat "$scratch/counts" 2>/dev/null)
}
