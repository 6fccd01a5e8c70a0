package minigrid

import (
	"cmp"
	"fmt"
	"hash/fnv"

	"github.com/ponder-agents/ponder/env"
)

// A level is what an id stands for.
type level struct {
	id         string
	about      string
	w, h       int
	limit      int // max_steps
	through    bool
	actions    int // 0 means all seven
	fixed      bool
	missionLen int
	roomSize   int    // of BabyAI levels
	hash       uint32 // of the id, in snapshots
	build      func(e *Env) bool
	start      func(e *Env) // what the agent carries at first; nil for nothing
}

// levels are the ids of MiniGrid 3.2.0, BabyAI's among them, but Playground and the WFC ids.
func levels() []level {
	all := append(miniLevels(), babyLevels()...)
	for i := range all {
		all[i].hash = idHash(all[i].id)
		if all[i].missionLen == 0 {
			all[i].missionLen = MissionLen
		}
	}
	return all
}

// miniLevels are those that begin with MiniGrid.
func miniLevels() []level {
	var all []level
	add := func(about string, l level, format string, args ...any) {
		l.id, l.about = "MiniGrid-"+fmt.Sprintf(format, args...), about
		all = append(all, l)
	}

	const empty = "an empty room; reach the goal"
	for _, n := range []int{5, 6, 8, 16} {
		l := level{w: n, h: n, limit: 4 * n * n, through: true}
		l.fixed, l.build = true, layEmpty(false)
		add(empty, l, "Empty-%dx%d-v0", n, n)
		if n <= 6 {
			l.fixed, l.build = false, layEmpty(true)
			add(empty, l, "Empty-Random-%dx%d-v0", n, n)
		}
	}
	add("four rooms with gaps between them; reach the goal", level{w: 19, h: 19, limit: 100, build: layFourRooms}, "FourRooms-v0")
	for _, n := range []int{5, 6, 8, 16} {
		add("fetch the key, unlock the door, reach the goal", level{w: n, h: n, limit: 10 * n * n, build: layDoorKey}, "DoorKey-%dx%d-v0", n, n)
	}
	for _, c := range [][2]int{{9, 1}, {9, 2}, {9, 3}, {11, 5}} {
		n, k := c[0], c[1]
		l := level{w: n, h: n, limit: 4 * n * n}
		l.build = layCrossing(Lava, missionLava, k)
		add("cross lava by its gaps", l, "LavaCrossingS%dN%d-v0", n, k)
		l.build = layCrossing(Wall, missionOpening, k)
		add("cross walls by their gaps", l, "SimpleCrossingS%dN%d-v0", n, k)
	}
	for _, n := range []int{5, 6, 7} {
		add("a strip of lava with one gap", level{w: n, h: n, limit: 4 * n * n, build: layLavaGap}, "LavaGapS%d-v0", n)
	}
	for i, y := range []int{2, 5} {
		add("two strips of lava; the second lies elsewhere in the other id",
			level{w: 9, h: 7, limit: 252, through: true, fixed: true, build: layDistShift(y)}, "DistShift%d-v0", i+1)
	}
	for _, c := range [][2]int{{5, 2}, {6, 3}, {8, 4}, {16, 8}} {
		n := c[0]
		l := level{w: n, h: n, limit: 4 * n * n, through: true, actions: 3}
		l.build = layDynamic(false, c[1])
		add("reach the goal between moving balls", l, "Dynamic-Obstacles-%dx%d-v0", n, n)
		if n <= 6 {
			l.build = layDynamic(true, c[1])
			add("reach the goal between moving balls", l, "Dynamic-Obstacles-Random-%dx%d-v0", n, n)
		}
	}
	for _, c := range []struct {
		id          string
		rooms, most int
	}{{"N2-S4-v0", 2, 4}, {"N4-S5-v0", 6, 5}, {"N4-S5-v1", 4, 5}, {"N6-v0", 6, 10}} {
		add("a chain of rooms; open the doors, reach the goal",
			level{w: 25, h: 25, limit: 20 * c.rooms, build: layMultiRoom(c.rooms, c.rooms, c.most)}, "MultiRoom-%s", c.id)
	}
	for _, n := range []int{7, 9, 11, 13, 17} {
		l := level{w: n, h: n, limit: 5 * n * n, build: layMemory(false)}
		const about = "remember the object in the first room; go to its like at the end of the hallway"
		if n < 17 {
			add(about, l, "MemoryS%d-v0", n)
		}
		if n >= 13 {
			l.build = layMemory(true)
			add(about, l, "MemoryS%dRandom-v0", n)
		}
	}
	for _, c := range [][2]int{{3, 1}, {3, 2}, {3, 3}, {4, 3}, {5, 3}, {6, 3}} {
		s, r := c[0], c[1]
		add("find the key, unlock the room, pick up the ball",
			level{w: 3*(s-1) + 1, h: r*(s-1) + 1, limit: 30 * s * s, build: layKeyCorridor(s, r)}, "KeyCorridorS%dR%d-v0", s, r)
	}
	add("unlock the door", level{w: 11, h: 6, limit: 288, build: layUnlock}, "Unlock-v0")
	add("unlock the door, pick up the box", level{w: 11, h: 6, limit: 288, build: layUnlockPickup(false)}, "UnlockPickup-v0")
	add("a ball blocks the locked door; pick up the box behind it",
		level{w: 11, h: 6, limit: 576, build: layUnlockPickup(true)}, "BlockedUnlockPickup-v0")
	for _, n := range []int{5, 6, 8} {
		add("say done beside the door asked for", level{w: n, h: n, limit: 4 * n * n, through: true, build: layGoToDoor}, "GoToDoor-%dx%d-v0", n, n)
	}
	for _, n := range []int{6, 8} {
		add("say done beside the object asked for", level{w: n, h: n, limit: 5 * n * n, through: true, build: layGoToObject}, "GoToObject-%dx%d-N2-v0", n, n)
	}
	for _, c := range [][2]int{{5, 2}, {6, 2}, {8, 3}} {
		n := c[0]
		add("pick up the object asked for", level{w: n, h: n, limit: 5 * n * n, through: true, build: layFetch(c[1])}, "Fetch-%dx%d-N%d-v0", n, n, c[1])
	}
	for _, c := range [][2]int{{6, 2}, {8, 3}} {
		n := c[0]
		add("put one object beside another", level{w: n, h: n, limit: 5 * n, through: true, build: layPutNear(c[1])}, "PutNear-%dx%d-N%d-v0", n, n, c[1])
	}
	for _, n := range []int{6, 8} {
		add("open the red door, then the blue one", level{w: 2 * n, h: n, limit: 20 * n * n, build: layRedBlue}, "RedBlueDoors-%dx%d-v0", n, n)
	}
	add("fetch the key from its room, unlock the room with the goal", level{w: 19, h: 19, limit: 190, build: layLockedRoom}, "LockedRoom-v0")

	obstructed := func(rooms int, size [2]int, build func(*Env) bool, format string, args ...any) {
		add("pick up the blue ball behind doors locked, keys hidden, ways blocked",
			level{w: size[0], h: size[1], limit: 4 * rooms * 36, build: build}, "ObstructedMaze-"+format, args...)
	}
	small, large := [2]int{11, 6}, [2]int{16, 16}
	obstructed(2, small, layObstructed1(false, false), "1Dl-v0")
	obstructed(2, small, layObstructed1(true, false), "1Dlh-v0")
	obstructed(2, small, layObstructed1(true, true), "1Dlhb-v0")
	side, middle := [2]int{2, 1}, [2]int{1, 1}
	obstructed(4, large, layObstructed3(side, false, false, 1, false), "2Dl-v0")
	obstructed(4, large, layObstructed3(side, true, false, 1, false), "2Dlh-v0")
	for v := range 2 {
		obstructed(4, large, layObstructed3(side, true, true, 1, v == 1), "2Dlhb-v%d", v)
		obstructed(5, large, layObstructed3(middle, true, true, 1, v == 1), "1Q-v%d", v)
		obstructed(11, large, layObstructed3(side, true, true, 2, v == 1), "2Q-v%d", v)
		obstructed(25, large, layObstructed3(middle, true, true, 4, v == 1), "Full-v%d", v)
	}
	return all
}

func idHash(s string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(s))
	return h.Sum32()
}

// options are those of every id.
var options = []env.Option{
	{Name: "view", Default: "7", About: "width of the agent's view, odd, 3 to 15"},
	{Name: "see_through", Default: "auto", About: "whether walls hide nothing: auto (as the id says), true, false"},
	{Name: "obs", Default: "partial", About: "the observation's image: partial, full, onehot, symbolic, rgb, rgb_partial"},
	{Name: "max_steps", Default: "0", About: "limit of an episode; 0 is the id's own"},
	{Name: "actions", Default: "0", About: "the first so many actions, from 3 (left, right, forward); 0 is all of the id's"},
}

func init() {
	env.Register(env.Entry{
		ID: levelID, Family: "minigrid", About: "a level of your own, from a file", Open: openFile, Oracles: oracles, Unsolvable: unsolvable, Paint: PaintBoard, OpenLevel: openLevel,
		Options: append([]env.Option{{Name: "file", About: "path of the level as text"}}, options...),
	})
	for _, l := range levels() {
		solvers := oracles
		if l.roomSize > 0 {
			solvers = oracles[1:] // only the bot follows BabyAI's instructions
		}
		env.Register(env.Entry{
			ID: l.id, Family: "minigrid", About: l.about, Options: options, Oracles: solvers, Unsolvable: unsolvable,
			Open: func(_ string, o *env.Options) (env.Env, error) {
				cfg, err := configOf(o)
				if err != nil {
					return nil, err
				}
				return open(l, cfg)
			},
		})
	}
}

var oracles = []env.OracleEntry{
	{Name: "plan", About: "a shortest plan, seeing everything", Open: func(e env.Env) (env.Oracle, error) {
		m, err := ours(e)
		if err != nil {
			return nil, err
		}
		if m.quest != nil {
			return nil, fmt.Errorf("%s: the plan does not follow BabyAI's instructions; the bot does", m.spec.ID)
		}
		return NewPlan(m, 0), nil
	}},
	{Name: "bot", About: "explores; knows only what the agent has seen and the mission", Open: func(e env.Env) (env.Oracle, error) {
		m, err := ours(e)
		if err != nil {
			return nil, err
		}
		return NewBot(m), nil
	}},
}

func ours(e env.Env) (*Env, error) {
	m, ok := e.(*Env)
	if !ok {
		return nil, fmt.Errorf("minigrid: no oracle for %T", e)
	}
	return m, nil
}

func unsolvable(e env.Env) bool {
	m, ok := e.(*Env)
	return ok && Unsolvable(m)
}

// configOf reads the options of a Config.
func configOf(o *env.Options) (Config, error) {
	cfg := Config{
		View:       o.Int("view", 3, maxView),
		SeeThrough: [...]Sight{SightAuto, SightThrough, SightBlocked}[o.Choice("see_through", "auto", "true", "false")],
		Obs:        Obs(o.Choice("obs", obsNames[:]...)),
		MaxSteps:   o.Int("max_steps", 0, 1<<30),
		Actions:    o.Int("actions", 0, len(actionNames)),
	}
	return cfg, o.Err()
}

// New opens an id with a configuration; env.Make does the same from text.
func New(id string, cfg Config) (*Env, error) {
	for _, l := range levels() {
		if l.id == id {
			return open(l, cfg)
		}
	}
	_, _, err := env.Lookup(id) // names ids near to it
	if err == nil {
		err = fmt.Errorf("minigrid: %q is not one of MiniGrid's ids", id)
	}
	return nil, err
}

func open(l level, cfg Config) (*Env, error) {
	if cfg.View == 0 {
		cfg.View = 7
	}
	most := cmp.Or(l.actions, len(actionNames))
	switch {
	case cfg.View < 3 || cfg.View > 15 || cfg.View%2 == 0:
		return nil, fmt.Errorf("minigrid: view of %d cells: want an odd number from 3 to 15", cfg.View)
	case cfg.Actions != 0 && (cfg.Actions < 3 || cfg.Actions > most):
		return nil, fmt.Errorf("minigrid: %d actions: want 3 to %d, or 0 for all of %s", cfg.Actions, most, l.id)
	case cfg.MaxSteps < 0 || cfg.Obs >= obsKinds || cfg.SeeThrough > SightBlocked:
		return nil, fmt.Errorf("minigrid: bad configuration %+v", cfg)
	}
	switch cfg.SeeThrough {
	case SightThrough:
		l.through = true
	case SightBlocked:
		l.through = false
	}
	return newEnv(l, cfg), nil
}
