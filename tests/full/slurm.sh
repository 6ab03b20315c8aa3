#!/usr/bin/env bash
# --shard auto and merge held to Slurm itself, Debian's packages: munged, slurmctld and slurmd on loopback, begun here and ended with this
# script, in a pid namespace of their own. An array of four gives what one run gives; a task that was cancelled is named by merge.
# Some two minutes. Needs root.
# builds: harness/all fakes/all fixtures/all
#   tests/full/slurm.sh [ARGS OF gpustage run]        default: first-steps
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
TREE=${TREE:-$PWD/.build}
((EUID == 0)) || { echo 'skipped: needs root' && exit 77; }
for program in munged slurmctld slurmd sbatch; do
  command -v "$program" >/dev/null || { echo "skipped: there is no $program here: harness/dev full slurm" && exit 77; }
done
if [[ -z ${SLURM_SCRATCH:-} ]]; then
  SLURM_SCRATCH=$(mktemp -d)
  trap 'rm -rf "$SLURM_SCRATCH"' EXIT
  TREE=$TREE SLURM_SCRATCH=$SLURM_SCRATCH unshare --mount --pid --fork --kill-child --mount-proc "$0" "$@"
  exit
fi

(($#)) || set -- first-steps
scratch=$SLURM_SCRATCH
mkdir -m 0700 "$scratch"/{munge,state,spool}
host=$(hostname -s)
port=$((20000 + RANDOM % 10000))
head -c 64 /dev/urandom >"$scratch/munge/key" && chmod 0400 "$scratch/munge/key"
cat >"$scratch/slurm.conf" <<END
ClusterName=gpustage
SlurmctldHost=$host(127.0.0.1)
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=30 State=UP
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
SlurmdUser=root
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
AuthInfo=socket=$scratch/munge/socket
CryptoType=crypto/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SlurmdParameters=config_overrides
MpiDefault=none
ReturnToService=2
StateSaveLocation=$scratch/state
SlurmdSpoolDir=$scratch/spool
SlurmctldPidFile=$scratch/slurmctld.pid
SlurmdPidFile=$scratch/slurmd.pid
END
export SLURM_CONF=$scratch/slurm.conf

# until WORDS…: at most a minute
until_true() {
  for _ in {1..240}; do
    "$@" >/dev/null 2>&1 && return
    sleep 0.25
  done
  echo "this did not come true: $*" && tail -n 15 "$scratch"/*.log
  exit 1
}
munged --foreground --force --key-file "$scratch/munge/key" --socket "$scratch/munge/socket" --pid-file "$scratch/munge/pid" \
  --seed-file "$scratch/munge/seed" --log-file "$scratch/munge/log" >"$scratch/munged.log" 2>&1 &
until_true test -S "$scratch/munge/socket"
slurmctld -D >"$scratch/slurmctld.log" 2>&1 &
slurmd -D >"$scratch/slurmd.log" 2>&1 &
until_true eval '[[ $(sinfo -h -o %T) == idle ]]'

bad=0
wrong() { echo "WRONG: $*" && bad=1; }
for of in $port $((port + 1)); do  # as /proc/net/tcp writes it: 127.0.0.1, listening
  awk -v port="$(printf %04X "$of")" '$4 == "0A" && $2 ~ ":" port "$" { if ($2 != "0100007F:" port) found = 1; seen = 1 } END { exit seen && !found ? 0 : 1 }' \
    /proc/net/tcp || wrong "port $of is not on loopback alone"
done

# array NAME SPECIFICATION: the job of `gpustage run --shard auto`, a report a task; prints its number.
array() {
  local name=$1 specification=$2
  shift 2
  mkdir -p "$scratch/$name"
  printf '#!/bin/bash\ncd %q\nexec %q run --shard auto --quiet --jobs 1 --report json=%q/$SLURM_ARRAY_TASK_ID.json %s\n' \
    "$PWD" "$TREE/harness/gpustage" "$scratch/$name" "$(printf '%q ' "$@")" >"$scratch/$name.sh"
  sbatch --parsable --array="$specification" --output="$scratch/$name/%a.out" "$scratch/$name.sh"
}
is_over() { [[ -z $(squeue -h -j "$1" 2>/dev/null) ]]; }
# What a report says of each run, a line each.
verdicts() {
  python3 -c 'import json, sys
for case in json.load(open(sys.argv[1]))["cases"]:
    print(case["id"], case["run"], case["scanner"], case["verdict"], case.get("devices"), case.get("lost"), sep="\t")' "$1" | LC_ALL=C sort
}

"$TREE/harness/gpustage" run --quiet --report json="$scratch/one.json" "$@" >"$scratch/one.out" 2>&1 || true
whole=$(array whole 0-6:2 "$@")
until_true is_over "$whole"
"$TREE/harness/gpustage" merge "$scratch"/whole/*.json --report json="$scratch/merged.json" >"$scratch/merged.out" 2>"$scratch/merged.err" || true
[[ $(find "$scratch/whole" -name '*.json' | wc -l) == 4 ]] || wrong "an array of four left $(ls "$scratch/whole")"
[[ ! -s $scratch/merged.err ]] || wrong "merge of all four says $(<"$scratch/merged.err")"
if verdicts "$scratch/one.json" >"$scratch/one" && verdicts "$scratch/merged.json" >"$scratch/merged" && [[ -s $scratch/one ]] &&
  diff "$scratch/one" "$scratch/merged" >"$scratch/difference"; then
  same="an array of four gives what one run gives, $(wc -l <"$scratch/one") runs"
else
  wrong "the array is not the run:" && cat "$scratch/difference" "$scratch"/whole/*.out "$scratch/merged.err"
  same="an array of four is not what one run gives"
fi

lost=$(array lost 1-4%1 "$@")  # one after the other, so that the third has not begun
scancel "${lost}_3"
until_true is_over "$lost"
status=0
"$TREE/harness/gpustage" merge "$scratch"/lost/*.json >/dev/null 2>"$scratch/lost.err" || status=$?
said=$(tail -n 1 "$scratch/lost.err")
((status != 0)) && grep -qE 'shards? 3' "$scratch/lost.err" || wrong "of the task that was cancelled merge says: $(<"$scratch/lost.err")"

scancel --state=RUNNING --state=PENDING || true
scontrol shutdown >/dev/null
echo "$same; of a lost task merge says: $said"
[[ -z ${RESULT:-} ]] || printf '["%s", "of a lost task merge says: %s"]' "$same" "${said//[\"\\]/}" >"$RESULT"
exit $bad
