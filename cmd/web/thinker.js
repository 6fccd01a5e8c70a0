// The worker in which the page's program thinks. It is sent the program first, then requests.
"use strict";
importScripts("wasm_exec.js");

const waiting = [];
let answer = null;

// The program calls this when it can take requests.
function ponderThinks(f) {
	answer = f;
	waiting.splice(0).forEach(m => f(m));
}

async function start(program) {
	const go = new Go();
	go.argv = ["ponder", "think"];
	await go.run(await WebAssembly.instantiate(program, go.importObject));
	throw new Error("the program came to its end");
}

onmessage = ({ data }) => {
	if (data instanceof WebAssembly.Module) start(data).catch(e => postMessage({ failed: String(e.message || e) }));
	else if (answer) answer(data);
	else waiting.push(data);
};
