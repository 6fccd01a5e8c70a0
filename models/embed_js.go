package models

import "embed"

// files are the folders of this directory, of most without the weights: the page in the browser fetches
// these when they are asked for.
//
//go:embed */*.json */*.md */SHA256SUMS maze/model.safetensors sudoku/model.safetensors sudoku-static/model.safetensors
var files embed.FS
