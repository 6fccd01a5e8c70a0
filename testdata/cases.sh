#!/bin/bash
# Runs the cases of a folder (PONDER_CASES: arc-formats, bom, hostile, …) with a program (PONDER, default bin/ponder)
# and prints a line for each: ok, FAILS or skipped, the case, what was asked for. What is in the folder is only read;
# each case runs in a folder of its own. It ends with 1 if a case fails.
#
#     make build && PONDER_CASES=../shared/cases testdata/cases.sh [CASE...]
#
# PONDER_REFERENCE is the folder of a recorded reference checkpoint, PONDER_PYTHON a Python with ponder_env and Gymnasium,
# for the cases that need them.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
cases=$(cd "${PONDER_CASES:?name the folder of the cases}" && pwd) || exit 2
p=${PONDER:-$root/bin/ponder}
reference=${PONDER_REFERENCE:-$cases/../hrm/torch_ckpt/sudoku-official-bf16}
puzzle=53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79
answer=534678912672195348198342567859761423426853791713924856961537284287419635345286179
work=$(mktemp -d) && trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
failed=0
wanted=("$@")

ponder() { timeout 300 "$p" "$@" </dev/null; }
said() { printf '%-8s %-34s %s\n' "$1" "$2" "$3"; [ "$1" != FAILS ] || failed=1; }

# begin CASE: whether it is to run; in an empty folder.
begin() {
	if [ ${#wanted[@]} -gt 0 ] && [[ ! " ${wanted[*]} " == *" $1 "* ]]; then return 1; fi
	if [ ! -d "$cases/$1" ]; then said skipped "$1" "not in the folder"; return 1; fi
	rm -rf "$work/at" && mkdir "$work/at" && cd "$work/at"
}

# ends CODE REGEXP NAME COMMAND...: the exit code, and that what is said or printed matches.
ends() {
	local code=$1 re=$2 name=$3 got
	shift 3
	out=$("$@" 2>&1)
	got=$?
	if [ $got = "$code" ] && grep -qE -- "$re" <<<"$out"; then
		said ok "$name" "exit code $code, $re"
	else
		said FAILS "$name" "exit code $got, want $code with $re: $(tail -n 1 <<<"$out" | cut -c 1-150)"
	fi
}

# holds NAME TEXT COMMAND...: that the command succeeds.
holds() {
	local name=$1 text=$2
	shift 2
	if "$@" >/dev/null 2>&1; then said ok "$name" "$text"; else said FAILS "$name" "$text"; fi
}

if begin arc-formats; then
	for set in rearc kaggle_test mac float bom; do
		ends 0 'examples' "arc-formats/$set" ponder data build arc "$cases/arc-formats/$set" --evaluate all --augment 0 --out "$set"
	done
fi
if begin bom; then
	ends 0 'solved' bom/sudoku.txt ponder solve sudoku "$cases/bom/sudoku.txt" --threads 1
	ends 0 'goal' bom/maze.txt ponder solve maze "$cases/bom/maze.txt" --threads 1
	ends 0 '[0-9]' bom/arc.json ponder data show "$cases/bom/arc.json"
	ends 0 '.' bom/minigrid-level.txt ponder record "$cases/bom/minigrid-level.txt" --agent random --steps 2 --out level.trace
	ends 0 '.' 'bom/minigrid-level.txt -o file=' ponder env show minigrid/level-v0 -o "file=$cases/bom/minigrid-level.txt"
	ends 0 'steps' bom/recipe.toml ponder train "$cases/bom/recipe.toml" --dry-run --out run
fi
if begin csv-formats; then
	for f in kag1.csv kag3.csv nohead.csv floatrating.csv c.sdm; do
		ends 0 '"count":' "csv-formats/$f" ponder eval sudoku --data "$cases/csv-formats/$f" --count 3 --threads 1 --json
	done
	stdin() { timeout 300 "$p" eval sudoku --csv - --count 1 --threads 1 --json <"$cases/csv-formats/kag1.csv"; }
	ends 0 '"count":1' 'csv-formats, --csv -' stdin
fi
if begin sudoku-formats; then
	for f in "$cases"/sudoku-formats/[a-z]_* "$cases"/sudoku-formats/*.sd?; do
		ends 0 'solved' "sudoku-formats/$(basename "$f")" ponder solve sudoku "$f" --threads 1
	done
fi
if begin maze-formats; then
	# 0 and 1 tell no start, and a world has 5 rows or more: these are refused by name.
	ends 1 'no S' maze-formats/bin.txt ponder solve maze "$cases/maze-formats/bin.txt"
	ends 1 'want 5 to 255' maze-formats/open.txt ponder solve maze "$cases/maze-formats/open.txt"
	for f in "$cases"/maze-formats/{ab,aoc,solved}.txt; do
		ends 0 'goal' "maze-formats/$(basename "$f")" ponder solve maze "$f" --threads 1
	done
fi
if begin dev-null-out; then
	if mknod null c 1 3 2>/dev/null; then
		mkfifo pipe.png && touch real.png && ln -s real.png link.png
		cat pipe.png >read.png &
		for f in null pipe.png link.png; do ponder env show maze --seed 1 --out $f >/dev/null 2>&1; done
		wait
		holds dev-null-out 'a device, a FIFO and a link stay what they are' test -c null -a -p pipe.png -a -L link.png -a -s real.png
	else
		said skipped dev-null-out 'needs the right to make a device'
	fi
fi
if begin replace-deletes-foreign-folder; then
	mkdir home && echo thesis >home/thesis.tex
	ends 1 'thesis.tex|home' replace-deletes-foreign-folder ponder data build sudoku --generate 3 --augment 0 --out home --replace
	holds replace-deletes-foreign-folder "another's folder stays" test -s home/thesis.tex
fi
if begin import-out-deletes; then
	mkdir models && echo precious >models/mine.txt
	ponder import "$reference" models --seq 81 >/dev/null 2>&1
	ends 1 'models' import-out-deletes ponder import "$reference" models --seq 81
	holds import-out-deletes "another's folder stays" test -s models/mine.txt
fi
if begin import-flags && [ -d "$reference" ]; then
	cp -r "$reference" ck && chmod -R u+w ck && rm -f ck/expected.safetensors
	ends 0 '81 tokens' import-flags ponder import ck out1 --task sudoku
	ends 2 'bogus' 'import-flags, an unknown task' ponder import ck out2 --seq 81 --task bogus
	ends 2 '--seq' 'import-flags, a length that is not its' ponder import ck out3 --seq 80 --task sudoku
	ends 2 '--seq' 'import-flags, no length' ponder import ck out4
fi
if begin import-sources && [ -d "$reference" ]; then
	# mk.py and mk2.py need torch; links and prefixes are here, safetensors in reference's TestSources.
	mkdir -p hf/blobs hf/snapshots/abc
	cp "$reference"/step_* hf/blobs/1234 && cp "$reference/all_config.yaml" hf/blobs/5678
	ln -s ../../blobs/1234 hf/snapshots/abc/checkpoint
	ln -s ../../blobs/5678 hf/snapshots/abc/all_config.yaml
	ends 0 '81 tokens' 'import-sources, links' ponder import hf/snapshots/abc out --task sudoku
fi
if begin eval-published-sets; then
	ends 0 '"exact_accuracy":' 'eval-published-sets, CSV' ponder eval maze --data "$cases/eval-published-sets/maze.csv" --model maze-path --threads 1 --json
	ponder data build maze --test "$cases/eval-published-sets/maze.csv" --out set >/dev/null 2>&1
	ends 0 '"exact_accuracy":' 'eval-published-sets, dataset' ponder eval maze --data set --model maze-path --threads 1 --json
fi
if begin hostile; then
	for f in maxsegments maxneg side pieces segments; do
		ends 1 "$f|segments|side|pieces|rows" "hostile/$f.trace" ponder record --trace "$cases/hostile/$f.trace" --out x.gif
	done
	ponder record --trace "$cases/hostile/caption.trace" --out x.gif >/dev/null 2>&1
	holds hostile/caption.trace 'ends by itself' test $? -ne 124
	ends 2 'dk20000' hostile/dk20000.toml ponder train "$cases/hostile/dk20000.toml" --out run
	ends 1 '.' hostile/resets.jsonl ponder env replay "$cases/hostile/resets.jsonl"
	mkdir ck && cp "$cases/hostile/memo2.pt" ck/step_1 && cp "$reference/all_config.yaml" ck/ 2>/dev/null
	ends 1 'data.pkl|pickle|checkpoint' hostile/memo2.pt ponder import ck out --seq 81
fi
if begin no-color; then
	colours() { env "$1" script -qec "$p data show $cases/no-color/00d62c1b.json" /dev/null </dev/null | grep -c $'\x1b\\[[34]8;'; }
	if command -v script >/dev/null; then
		holds no-color 'NO_COLOR' test "$(colours NO_COLOR=1)" = 0
		holds no-color 'TERM=dumb' test "$(colours TERM=dumb)" = 0
	else
		said skipped no-color 'needs script(1)'
	fi
fi
if begin stdout-full; then
	full() { "$@" >/dev/full; }
	ends 1 'no space left' 'stdout-full, solve' full ponder solve sudoku "$puzzle" --threads 1
	ends 1 'no space left' 'stdout-full, eval' full ponder eval sudoku --count 2 --threads 1
	ends 1 'no space left' 'stdout-full, data show' full ponder data show "$cases/no-color/00d62c1b.json"
	printf 'question,answer\n%s,%s\n' "$puzzle" "$answer" >one.csv
	ponder data build sudoku --test one.csv --out set >/dev/null 2>&1
	ends 1 'no space left' 'stdout-full, data check' full ponder data check set
fi
if begin symlinked-folders; then
	task='{"train":[{"input":[[1]],"output":[[2]]}],"test":[{"input":[[3]],"output":[[4]]}]}'
	mkdir -p real/training mix && echo "$task" >real/training/a1.json && echo "$task" >mix/b2.json
	ln -s real arc && ln -s ../real/training mix/training
	ends 0 'of 1 puzzles' 'symlinked-folders, a linked folder' ponder data build arc arc --augment 0 --evaluate none --out o1
	ends 0 'of 2 puzzles' 'symlinked-folders, one below' ponder data build arc mix --augment 0 --evaluate none --out o2
fi
if begin solve-maze-31; then
	ends 3 'maze-path' solve-maze-31 ponder solve maze "$cases/solve-maze-31/m31.txt" --threads 1
fi
if begin resume-threads; then
	flags="--threads 1 --steps 60 --save-every 20 --eval-count 8 --eval-every 30"
	# shellcheck disable=SC2086
	ponder train maze $flags --out a >/dev/null 2>&1
	# shellcheck disable=SC2086
	"$p" train maze $flags --out c </dev/null >/dev/null 2>&1 &
	run=$!
	until [ -d c/checkpoints/step-000000020 ] || ! kill -0 $run 2>/dev/null; do sleep .2; done
	kill -9 $run 2>/dev/null
	wait 2>/dev/null
	ponder train --resume c >/dev/null 2>&1
	holds resume-threads 'the same weights without --threads' cmp a/model/model.safetensors c/model/model.safetensors
fi
if begin vendored-module; then
	cp "$cases"/vendored-module/* . && chmod -R u+w .
	sed -i "s#=> .*#=> $root#" go.mod
	if GOWORK=off GOFLAGS=-mod=mod go mod tidy >/dev/null 2>&1 && GOWORK=off go mod vendor >/dev/null 2>&1; then
		ends 0 'libtorch|would' 'vendored-module, as README says' env GOWORK=off go run -mod=mod github.com/ponder-agents/ponder/cmd/setup --dry-run
	else
		said skipped vendored-module 'its modules are not to be had'
	fi
fi
for c in gym-make_vec-sync gym-pickle gym-async-mission; do
	if begin $c; then
		if "${PONDER_PYTHON:-python3}" -c 'import gymnasium, ponder_env' 2>/dev/null; then
			ends 0 '' $c "${PONDER_PYTHON:-python3}" "$cases/$c/t.py"
		else
			said skipped $c 'needs PONDER_PYTHON with gymnasium and ponder_env'
		fi
	fi
done
exit $failed
