package minigrid

import (
	"testing"

	"github.com/ponder-agents/ponder/env"
)

// play plays an episode of e by an oracle and reports whether it succeeded and in how many steps.
func play(e *Env, o env.Oracle, obs []byte) (ok bool, steps int, err error) {
	for {
		a, err := o.Act()
		if err != nil {
			return false, e.Steps(), err
		}
		if out := e.Step(a, obs); out.Done() {
			return out.Reward > 0, e.Steps(), nil
		}
	}
}

// TestOracles lets the bot and the plan play seeds of every id. A level that one does not solve must
// be proved unsolvable; a plan takes no more steps than the bot.
func TestOracles(t *testing.T) {
	buried := 0
	for _, l := range miniLevels() {
		e, err := New(l.id, Config{})
		if err != nil {
			t.Fatal(err)
		}
		obs := make([]byte, e.Spec().ObsLen)
		bot, plan := NewBot(e), NewPlan(e, 20_000)
		for seed := range uint64(20) {
			e.Seed(seed)
			e.Reset(obs)
			hopeless := Unsolvable(e)
			botOK, botSteps, botErr := play(e, bot, obs)
			e.Seed(seed)
			e.Reset(obs)
			planOK, planSteps, planErr := play(e, plan, obs)
			switch {
			case hopeless:
				buried++
				if botOK || planOK {
					t.Errorf("%s seed %d was solved, although it was proved unsolvable", l.id, seed)
				}
			case !botOK || !planOK:
				t.Errorf("%s seed %d: bot %t (%v), plan %t (%v)", l.id, seed, botOK, botErr, planOK, planErr)
			case planSteps > botSteps && e.task.kind != taskDynamic:
				t.Errorf("%s seed %d: the plan takes %d steps, the bot %d", l.id, seed, planSteps, botSteps)
			}
		}
	}
	if buried == 0 {
		t.Error("no level was unsolvable; ObstructedMaze v0 buries keys, as at seed 7")
	}
}

// TestPlanIsShortest compares A* with a search that has no bound to lead it, and so cannot be misled.
func TestPlanIsShortest(t *testing.T) {
	for _, id := range []string{
		"DoorKey-6x6-v0", "Unlock-v0", "UnlockPickup-v0", "KeyCorridorS3R2-v0", "MultiRoom-N4-S5-v1", "LavaCrossingS9N3-v0",
		"MemoryS9-v0", "GoToDoor-8x8-v0", "Fetch-8x8-N3-v0", "PutNear-8x8-N3-v0", "RedBlueDoors-6x6-v0", "ObstructedMaze-1Dlh-v0", "FourRooms-v0",
	} {
		e, err := New("MiniGrid-"+id, Config{})
		if err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(4) {
			e.Seed(seed)
			e.build()
			led, ok1 := shortest(e, e.limit, 1_000_000, false)
			blind, ok2 := shortest(e, len(led)+1, 1_000_000, true)
			if led == nil || !ok1 || !ok2 || len(led) != len(blind) {
				t.Errorf("%s seed %d: %d steps (%t), without a bound %d (%t)", id, seed, len(led), ok1, len(blind), ok2)
			}
		}
	}
}

// TestBotBesideAnother: when somebody else acts the bot says what it would do from there, not what is left of its plan.
func TestBotBesideAnother(t *testing.T) {
	for _, id := range []string{"MiniGrid-MultiRoom-N4-S5-v1", "MiniGrid-MemoryS9-v0", "BabyAI-GoToLocal-v0", "MiniGrid-DoorKey-8x8-v0"} {
		e, err := New(id, Config{})
		if err != nil {
			t.Fatal(err)
		}
		obs := make([]byte, e.Spec().ObsLen)
		follows := NewBot(e)
		for seed := range uint64(20) {
			e.Seed(seed)
			e.Reset(obs)
			for i := range 40 {
				expected := follows.next == e.pos<<2|e.dir
				got, err := follows.Act()
				if err != nil {
					t.Fatal(err)
				}
				fresh := NewBot(e)
				copy(fresh.known, follows.known)
				fresh.steps = e.steps - 1
				if want, err := fresh.Act(); !expected && (got != want || err != nil) {
					t.Fatalf("%s seed %d step %d: %d, a bot that begins here %d (%v)", id, seed, i, got, want, err)
				}
				if e.Step((i+int(seed))%3, obs).Done() {
					break
				}
			}
		}
	}
}
