# Sourced by the other scripts: where things stand, how a step is shown, how it fails.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
build=$root/build
python=$root/.venv/bin/python
jobs=$(nproc)

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# step NAME LOG COMMAND...: runs the command with its output in LOG. A terminal shows the last
# line of the log as it grows, anything else one line a minute; a failure prints the log's tail.
step() {
  local name=$1 log=$2 pid status=0 start=$SECONDS shown=$SECONDS line
  shift 2
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  trap 'kill "$pid" 2>/dev/null || true; exit 130' INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    if [[ -t 1 ]] || ((SECONDS - shown >= 60)); then
      line=$(tail -c 400 "$log" | tr '\r' '\n' | tail -n 1)
      shown=$SECONDS
      show_progress "$name: $((SECONDS - start)) s  $line"
    fi
  done
  wait "$pid" || status=$?
  trap - INT TERM
  if ((status != 0)); then
    end_progress
    tail -n 40 "$log" >&2
    fail "$name failed (status $status); the whole log is ${log#"$root"/}"
  fi
  show_progress "$name: done in $((SECONDS - start)) s"
  end_progress
}

show_progress() {
  if [[ -t 1 ]]; then
    printf '\r\033[K%.*s' "$(($(tput cols 2>/dev/null || echo 80) - 1))" "$1"
    progress_open=1
  else
    printf '%s\n' "$1"
  fi
}

end_progress() {
  if [[ -n ${progress_open:-} ]]; then
    printf '\n'
    progress_open=
  fi
}
