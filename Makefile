# One command each: install what is missing, then do it. Start with `make help`.
#
# Everything runs on the Node.js that npm installs here (node_modules/.bin/node), whatever the machine has.

NODE := node_modules/.bin/node
VITEST := $(NODE) node_modules/vitest/vitest.mjs run
# Programs that change the kernel run where they cannot disturb the machine.
ISOLATED := build/isolated.sh
# node:ffi is experimental and says so; the version is pinned.
SCRIPT := $(ISOLATED) --or-fail $(NODE) --disable-warning=ExperimentalWarning

PACKAGES := node_modules/.package-lock.json
TOOLS := .tools/installed
EXECUTABLE := dist/calico
# Folders too: a removed file changes its folder.
SOURCES := $(shell find src) $(wildcard build/*.ts)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help build image check types lint unit fuzz test test-k8s demo demo-cluster bench bench-node goals tools kubernetes docs clean distclean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(EXECUTABLE) $(TOOLS) ## Network two pods through cnitool and show what happened (DATASTORE=etcd: on a real etcd)
	@$(SCRIPT) demo/demo.ts

demo-cluster: $(EXECUTABLE) $(TOOLS) ## Three hosts on two subnets with an agent each: who reaches whom, and how, in every mode
	@$(SCRIPT) demo/cluster.ts

build: $(EXECUTABLE) ## Build dist/calico and dist/calico-ipam, one file with two names

image: $(EXECUTABLE) ## Write dist/calico-image.tar, a container image that installs the plugin on a node
	$(NODE) build/image.ts

check: types lint unit ## Fast: types, lint, unit and architecture tests

test: types lint $(EXECUTABLE) $(TOOLS) ## Everything: check, real etcd, real kernel, end to end, and test-k8s where that is possible
	@build/install-kubernetes.sh || { [ $$? -eq 69 ] && echo 'Without them: see the lines above.'; }
	$(ISOLATED) $(VITEST)

test-k8s: kubernetes $(EXECUTABLE) $(TOOLS) ## Pods on a real containerd, a real kubelet and a real API server
	$(ISOLATED) --or-fail $(VITEST) --project kubernetes

types: $(PACKAGES) ## Check the types
	$(NODE) node_modules/typescript/bin/tsc -p .

lint: $(PACKAGES) ## Check style and formatting
	$(NODE) node_modules/@biomejs/biome/bin/biome check .

unit: $(PACKAGES) ## Run the tests that need no root, no server and no kernel
	$(VITEST) --project unit --project architecture

fuzz: $(PACKAGES) ## Feed every decoder until it misbehaves (RUNS=100000: as often as that; SEED=1: the same again)
	$(if $(RUNS),FUZZ_RUNS=$(RUNS)) $(if $(SEED),FUZZ_SEED=$(SEED)) $(VITEST) --project fuzz

bench: $(EXECUTABLE) $(TOOLS) ## Measure ADD and DEL beside an empty process and ptp + host-local
	@$(SCRIPT) bench/bench.ts

bench-node: $(EXECUTABLE) $(TOOLS) ## Measure the node agent: how soon changes are routed, large clusters, repairs
	@$(SCRIPT) bench/node.ts

goals: $(EXECUTABLE) $(TOOLS) ## Measure only what has a goal, and say whether it holds
	@$(SCRIPT) bench/bench.ts --goals

tools: $(TOOLS) ## Install what tests, demo and benchmark need: ip, ping, etcd, cnitool, reference plugins

kubernetes: ## Install what test-k8s needs: kubelet and kube-apiserver are built once, which takes minutes
	build/install-kubernetes.sh

docs: $(PACKAGES) ## Write docs/commands.md anew, from the commands themselves
	$(NODE) build/generate-command-docs.ts

clean: ## Remove what was built
	rm -rf dist

distclean: clean ## Remove what was installed here, too: npm packages and tools
	rm -rf node_modules .tools

$(PACKAGES): package.json package-lock.json
	build/install-packages.sh
	@touch $@

$(TOOLS): build/install-tools.sh build/apt.sh build/go.sh
	build/install-tools.sh

$(EXECUTABLE): $(PACKAGES) $(SOURCES)
	$(NODE) build/build.ts
