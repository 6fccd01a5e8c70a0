// Command ponder is the command line of the framework: worlds, training, evaluation, the viewer (package host).
package main

import "github.com/ponder-agents/ponder/host"

func main() { host.Main() }
