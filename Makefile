# Every target sets up what it needs, says what it installs before it does, and never asks.
# CONTRIBUTING.md explains them.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build
.PHONY: build setup test test-pure test-torch test-cross test-web test-tutorials fuzz python lint demo web dist docs pictures recordings bench wheel test-libtorch clean

# A workspace takes no -mod.
ifneq (,$(filter -mod=%,$(GOFLAGS)))
export GOFLAGS := $(filter-out -mod=%,$(GOFLAGS))
endif

GO    ?= go
TORCH ?= 2.15.0

# Without libtorch: the module alone, no cgo.
PURE := env CGO_ENABLED=0 GOWORK=off $(GO)
PYTHON ?= python3
# An absolute path of a Python that the tests of python/ and env/gym can use, or nothing.
FIND_PYTHON = for p in "$${PONDER_PYTHON:-}" $(CURDIR)/bin/python/bin/python $(PYTHON); do if [ -n "$$p" ] && "$$p" -c 'import gymnasium, pytest' 2>/dev/null; then command -v "$$p"; break; fi; done
# A hidden display for the tests that open a window, where there is none.
DISPLAY_RUN = $$([ -n "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ] || ! command -v xvfb-run >/dev/null || echo xvfb-run -a)
# The packages that use libtorch, in themselves or in their tests.
TORCH_PACKAGES = $(GO) list -test -f '{{$$p := .ImportPath}}{{range .Deps}}{{if eq . "github.com/sugarme/gotch"}}{{$$p}}{{end}}{{end}}' ./... | sed 's/ .*//; s/\.test$$//; s/_test$$//' | sort -u

# bin/ponder needs nothing and becomes bin/ponder-torch, which trains, where libtorch is found (docs/engines.md).
# Go does not stamp what it builds in a workspace: internal/stamp is told here.
STAMP = -X github.com/ponder-agents/ponder/internal/stamp.git=$(shell git log -1 --format=%H,%cI 2>/dev/null),$(if $(shell git status --porcelain 2>/dev/null),changed)

build: setup
	$(PURE) build -ldflags '$(STAMP)' -o bin/ponder ./cmd/ponder
	$(GO) build -ldflags '$(STAMP)' -o bin/ponder-torch ./cmd/ponder

# The program is built apart, since go.work may name a folder that is gone.
setup:
	@$(PURE) build -o bin/setup ./cmd/setup
	@bin/setup

test: test-pure test-cross test-torch test-web lint

# A Python for the tests, in bin/python unless there is one with Gymnasium.
python:
	@if [ -z "$$($(FIND_PYTHON))" ]; then \
		echo "no Python with gymnasium and pytest: installing python/tests/requirements.txt from PyPI in bin/python"; \
		rm -rf bin/python; \
		{ $(PYTHON) -m venv bin/python && bin/python/bin/python -m pip install --quiet -r python/tests/requirements.txt; } || \
			{ rm -rf bin/python; echo "the tests of the worlds in Python (python/tests, env/gym) will be skipped"; }; \
	fi

# The two thirds that need no libtorch.
test-pure: python
	@$(PURE) build -o bin/setup ./cmd/setup
	@if [ "$$(uname)" = Linux ] && [ -z "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ]; then bin/setup --packages xvfb,xauth,libgl1-mesa-dri || echo "the tests of the window will be skipped"; fi
	$(PURE) vet ./...
	export PONDER_PYTHON="$$($(FIND_PYTHON))"; $(DISPLAY_RUN) $(PURE) test ./...

# That they build, and their tests too, for systems that are not at hand, and without a window.
test-cross:
	GOOS=windows $(PURE) vet ./...
	GOOS=darwin GOARCH=arm64 $(PURE) vet ./...
	$(PURE) vet -tags nowindow ./...

# Every fuzz target for FUZZ_TIME. What it finds is written into the package's testdata/fuzz and stays there.
FUZZ_TIME ?= 10s
fuzz:
	@grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sort -u | { failed=0; while read -r dir; do \
		for name in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$dir"/*_test.go); do \
			echo "$$dir $$name"; $(PURE) test "$$dir" -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZ_TIME) || failed=1; \
		done; \
	done; exit $$failed; }

# The tutorials, as their pages say.
test-tutorials: build
	$(PURE) test -tags tutorials -count 1 -timeout 30m -run TestTutorials -v .

test-torch: setup
	packages=$$($(TORCH_PACKAGES)); $(GO) vet $$packages && $(DISPLAY_RUN) $(GO) test -timeout 20m $$packages

lint: setup
	@cd tools && GOWORK=off $(GO) build -o ../bin/ honnef.co/go/tools/cmd/staticcheck mvdan.cc/gofumpt
	bin/staticcheck ./...
	files=$$(git ls-files '*.go' | xargs bin/gofumpt -l); if [ -n "$$files" ]; then echo "gofumpt -w:" $$files; exit 1; fi

# Without libtorch, so that it needs nothing but Go.
demo:
	@$(PURE) build -o bin/pure/ponder ./cmd/ponder
	bin/pure/ponder demo

# The page for the browser, in the folder web: serve it with any file server. The models of maze and sudoku are in the
# program, the others and the recordings beside it.
web:
	rm -rf web && mkdir -p web
	GOOS=js GOARCH=wasm $(PURE) build -trimpath -ldflags='-s -w' -o web/ponder.wasm ./cmd/web
	cp cmd/web/index.html cmd/web/thinker.js "$$($(GO) env GOROOT)/lib/wasm/wasm_exec.js" web/
	cp -r cmd/web/recordings web/
	for weights in models/*/model.safetensors; do mkdir -p "web/$${weights%/*}" && cp "$$weights" "web/$$weights"; done
	@echo "$$(cat web/ponder.wasm web/*.js web/index.html | wc -c) bytes, $$(cat web/ponder.wasm web/*.js web/index.html | gzip -9 | wc -c) with gzip; serve it: python3 -m http.server -d web"

# The page driven in a headless Chromium, from Debian's packages where none is installed; screenshots in web/shots.
test-web: web
	@if ! command -v chromium >/dev/null && ! command -v google-chrome >/dev/null && [ "$$(uname)" = Linux ]; then \
		$(PURE) build -o bin/setup ./cmd/setup && bin/setup --packages chromium || echo "the page is not tested: there is no Chromium"; fi
	mkdir -p web/shots
	$(PURE) test ./cmd/web -count 1 -v -run TestPage -page "$(CURDIR)/web" -shots "$(CURDIR)/web/shots"

# docs/environments.md and its picture: every oracle plays a thousand levels of every world.
docs:
	$(PURE) run ./internal/cmd/envdocs

# The pictures of the documentation, of shipped models; environments.png is of `make docs`.
# In a folder of its own: a bin/ponder beside a bin/ponder-torch becomes that, whose models may be older.
RECORD = bin/pure/ponder record --quiet
HARD = sudoku --option difficulty=hard --seed 21 --whole
pictures:
	$(PURE) build -o bin/pure/ponder ./cmd/ponder
	$(RECORD) $(HARD) --sheet --size 1200x700 --out docs/img/concept-segments.png
	$(RECORD) $(HARD) --segment 5 --size 1280x800 --out docs/img/concept-halting.png
	$(RECORD) maze/21x21-v0 --model maze --seed 2 --step 1 --segment 2 --size 640x560 --layer change-h --out docs/img/concept-slow.png
	$(RECORD) maze/21x21-v0 --model maze --seed 2 --step 1 --segment 2 --size 640x560 --layer change-l --out docs/img/concept-fast.png
	$(RECORD) sudoku --option difficulty=hard --seed 30 --whole --sheet --size 1000x620 --out docs/img/sheet.png
	$(RECORD) maze/31x31-v0 --model maze-path --seed 4 --steps 1 --out docs/img/maze-path.png
	$(RECORD) maze/11x11-v0 --model maze-reward --seed 4 --step 1 --size 1100x700 --out docs/img/maze-reward.png
	$(RECORD) $(HARD) --out docs/img/thinking.gif
	$(PURE) run ./internal/cmd/pictures docs/img

# The recorded runs of the page's gallery (open.Recordings), of shipped models.
RECORDINGS = cmd/web/recordings
recordings:
	$(PURE) build -o bin/pure/ponder ./cmd/ponder
	$(RECORD) maze/31x31-v0 --model maze-path --seed 1 --steps 1 --out $(RECORDINGS)/way.trace
	$(RECORD) sudoku --option difficulty=hard --seed 21 --whole --out $(RECORDINGS)/sudoku.trace
	$(RECORD) sudoku --option difficulty=hard --failed --examples 60 --out $(RECORDINGS)/stuck.trace
	$(RECORD) maze/11x11-v0 --model maze-reward --seed 5 --out $(RECORDINGS)/gate.trace
	$(RECORD) MiniGrid-DoorKey-5x5-v0 --seed 2 --out $(RECORDINGS)/door.trace

# One file for each system, with the shipped models in it and no libtorch, and their checksums.
DIST = linux/amd64 linux/arm64 darwin/arm64 darwin/amd64 windows/amd64
dist:
	rm -rf dist && mkdir dist
	for target in $(DIST); do \
		os=$${target%/*} arch=$${target#*/}; file=dist/ponder-$$os-$$arch; [ $$os != windows ] || file=$$file.exe; \
		GOOS=$$os GOARCH=$$arch $(PURE) build -trimpath -ldflags='-s -w $(STAMP)' -o $$file ./cmd/ponder; \
		size=$$(wc -c <$$file); echo "$$file: $$size bytes"; \
		[ $$size -lt 40000000 ] || { echo "$$file: 40 MB or more" >&2; exit 1; }; \
	done
	cd dist && { if command -v sha256sum >/dev/null; then sha256sum ponder-*; else shasum -a 256 ponder-*; fi; } >SHA256SUMS && cat SHA256SUMS

bench: build
	packages=$$($(TORCH_PACKAGES)); $(GO) test -run '^$$' -bench . -count 3 $$packages

# The environments for Python's Gymnasium, as a wheel in python/dist (docs/python.md).
wheel: SHARED = $(if $(filter windows,$(shell $(GO) env GOOS)),ponder_env.dll,libponder_env.$(if $(filter darwin,$(shell $(GO) env GOOS)),dylib,so))
wheel:
	CGO_ENABLED=1 GOWORK=off $(GO) build -tags notorch -trimpath -ldflags='-s -w' -buildmode=c-shared -o python/ponder_env/$(SHARED) ./cmd/pyenv
	rm -rf python/ponder_env/*.h python/build
	$(PYTHON) -m pip wheel --quiet --no-deps --wheel-dir python/dist ./python

# The same tests against PyPI's torch of another version, installed in a folder of its own.
test-libtorch:
	@$(PURE) build -o bin/setup ./cmd/setup
	@bin/setup --pip $(TORCH) --go-work bin/libtorch-$(TORCH).work
	export GOWORK=$(CURDIR)/bin/libtorch-$(TORCH).work; packages=$$($(TORCH_PACKAGES)); $(GO) test -timeout 20m $$packages

clean:
	rm -rf bin web dist python/build python/dist demo.gif go.work go.work.sum
