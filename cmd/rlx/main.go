package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"time"

	"github.com/ponder-agents/ponder/agent/learn/rl"
	"github.com/ponder-agents/ponder/env"
	_ "github.com/ponder-agents/ponder/env/minigrid"
	"github.com/ponder-agents/ponder/torch"
)

func main() {
	id := flag.String("env", "MiniGrid-DoorKey-5x5-v0", "")
	kind := flag.String("net", "hrm", "")
	frames := flag.Int("frames", 80000, "")
	seed := flag.Uint64("seed", 1, "")
	M := flag.Int("M", 2, "")
	bonus := flag.Float64("bonus", 0.01, "")
	bkind := flag.String("bkind", "", "")
	horizon := flag.Int("horizon", 64, "")
	epochs := flag.Int("epochs", 8, "")
	lr := flag.Float64("lr", 1e-3, "")
	ent := flag.Float64("ent", 0.01, "")
	gamma := flag.Float64("gamma", 0.99, "")
	envs := flag.Int("envs", 16, "")
	seq := flag.Bool("seq", false, "")
	hidden := flag.Int("hidden", 64, "")
	vclip := flag.Float64("vclip", 0, "")
	anneal := flag.Bool("anneal", false, "")
	stop := flag.Float64("stop", 0, "")
	reset := flag.Bool("reset", false, "")
	flag.Parse()
	torch.SetThreads(1)
	v, err := env.MakeVec(*id, *envs, env.VecConfig{})
	if err != nil {
		log.Fatal(err)
	}
	n, err := rl.NewNetwork(rl.NetworkConfig{Kind: *kind, Hidden: *hidden}, v.Spec(), torch.CPU, *seed)
	if err != nil {
		log.Fatal(err)
	}
	a, err := rl.NewActor(n, v, rl.ActorConfig{Segments: *M, Bonus: rl.BonusConfig{Size: *bonus, Kind: *bkind}, Gamma: *gamma, Reset: *reset}, *seed)
	if err != nil {
		log.Fatal(err)
	}
	p, err := rl.NewPPO(n, a, rl.PPOConfig{Horizon: *horizon, Epochs: *epochs, LR: *lr, Entropy: *ent, Sequences: *seq, ValueClip: *vclip, Anneal: *anneal}, *seed)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(n.Params().Count(), "parameters")
	begin := time.Now()
	type ep struct {
		n int
		r float64
		w int
	}
	var window []ep
	hit := map[float64]int{}
	next := 0
	for f := 0; f < *frames; {
		l, err := p.Update(context.Background(), float64(f)/float64(*frames))
		if err != nil {
			log.Fatal(err)
		}
		f += p.Frames()
		e := a.Ended()
		if e.Count > 0 {
			window = append(window, ep{e.Count, e.Return, e.Successes})
		}
		n, r, w := 0, 0.0, 0
		for k := len(window) - 1; k >= 0 && n < 100; k-- {
			n += window[k].n
			r += window[k].r
			w += window[k].w
		}
		mean := 0.0
		if n >= 50 {
			mean = r / float64(n)
		}
		for _, lim := range []float64{.5, .9} {
			if mean >= lim && hit[lim] == 0 {
				hit[lim] = f
			}
		}
		if f >= next {
			next += *frames / 16
			fmt.Printf("%8d frames %6.1fs return %.3f success %.3f  value %.4f entropy %.3f kl %.4f norm %.2f\n", f, time.Since(begin).Seconds(), mean, float64(w)/float64(max(1, n)), l.Value, l.Entropy, l.KL, l.Norm)
		}
		if *stop > 0 && mean >= *stop {
			break
		}
	}
	fmt.Printf("%s %s seed %d: hit %v, %.1f s, %.0f frames/s\n", *id, *kind, *seed, hit, time.Since(begin).Seconds(), float64(*frames)/time.Since(begin).Seconds())
}
