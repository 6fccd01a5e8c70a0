//go:build !js

package models

import "embed"

// files are the folders of this directory, and its few kilobytes of source.
//
//go:embed *
var files embed.FS
