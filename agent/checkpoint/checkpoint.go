package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/ponder-agents/ponder/internal/output"
	"github.com/ponder-agents/ponder/internal/text"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// The files of a checkpoint.
const (
	ConfigFile    = "config.json"
	ModelFile     = "model.safetensors"
	CardFile      = "README.md"
	OptimizerFile = "optimizer.safetensors"
	TrainFile     = "train.json"
	SumsFile      = "SHA256SUMS"
)

// ErrDamaged is in the error of a checkpoint that is not what was saved: a file is missing, cut or
// changed.
var ErrDamaged = errors.New("damaged checkpoint")

// A Snapshot is what Save writes. The tensors are only read.
type Snapshot struct {
	Config    any                           // becomes config.json
	Model     map[string]safetensors.Tensor // at least one
	Metadata  map[string]string             // of model.safetensors; may be nil
	Card      Card
	Optimizer map[string]safetensors.Tensor // nil for weights that are not to be trained further
	Train     any                           // becomes train.json; nil for none
}

// A Checkpoint is one that was read. Close it after the last use of its tensors.
type Checkpoint struct {
	Dir       string          // where it was found; empty if it was read by ReadFS
	Config    json.RawMessage // config.json
	Card      string          // README.md, empty if there is none
	Model     *safetensors.File
	Optimizer *safetensors.File // nil if there is none
	Train     json.RawMessage   // nil if there is none

	// Warning says why this is not the checkpoint asked for but the one before it, nil if it is.
	Warning error
}

// Close releases the files.
func (c *Checkpoint) Close() error {
	err := c.Model.Close()
	if c.Optimizer != nil {
		err = errors.Join(err, c.Optimizer.Close())
	}
	return err
}

// previous is where Save puts the checkpoint that it replaces.
func previous(dir string) string {
	if place, err := output.Follow(dir); err == nil {
		dir = place
	}
	return output.Previous(dir)
}

// kind recognises a checkpoint's folder by what Save leaves in it beside the weights: checksums, which
// name them, or the card. Weights alone may be anybody's.
func kind() output.Kind {
	return output.Kind{
		Name: "checkpoint",
		Is: func(folder fs.FS) bool {
			sums, _ := readFile(folder, SumsFile)
			card, _ := readFile(folder, CardFile)
			return bytes.Contains(sums, []byte("  "+ModelFile+"\n")) || bytes.HasPrefix(card, []byte(cardHead))
		},
		Has: Has,
	}
}

// Has reports whether a checkpoint has a file of that name.
func Has(name string) bool {
	return slices.Contains([]string{ConfigFile, ModelFile, CardFile, OptimizerFile, TrainFile, SumsFile}, name)
}

// Save writes s as the folder dir, where there is nothing, an empty folder or a checkpoint, which becomes
// dir.previous. What is at dir.previous then must be a checkpoint too. Only one process at a time may save
// to a dir.
func Save(dir string, s Snapshot) error {
	if err := save(dir, s); err != nil {
		return fmt.Errorf("save checkpoint %s: %w", dir, err)
	}
	return nil
}

// CheckDir reports why Save would refuse dir.
func CheckDir(dir string) error {
	return kind().Check(dir, output.Keep)
}

func save(dir string, s Snapshot) error {
	if len(s.Model) == 0 {
		return errors.New("no tensors in the model")
	}
	f, err := kind().Make(dir, output.Keep)
	if err != nil {
		return err
	}
	defer f.Abort()
	if err := write(f.Tmp, s); err != nil {
		return err
	}
	// Load looks for dir, then for previous(dir): one of them is whole at every moment.
	return f.Commit()
}

// write fills the folder tmp.
func write(tmp string, s Snapshot) error {
	var sums sums
	put := func(name string, encode func(w io.Writer) error) error {
		return output.CreateFile(filepath.Join(tmp, name), func(w io.Writer) error { return sums.tee(w, name, encode) })
	}
	putJSON := func(name string, v any) error {
		return put(name, func(w io.Writer) error {
			b, err := json.MarshalIndent(v, "", "  ")
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			b = append(b, '\n')
			if most := bound(name); int64(len(b)) > most {
				return fmt.Errorf("%s: %d bytes, and Load reads at most %d", name, len(b), most)
			}
			_, err = w.Write(b)
			return err
		})
	}
	putTensors := func(name string, metadata map[string]string, tensors map[string]safetensors.Tensor) error {
		return put(name, func(w io.Writer) error {
			if err := safetensors.Encode(w, metadata, tensors); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
	if err := putJSON(ConfigFile, s.Config); err != nil {
		return err
	}
	if err := putTensors(ModelFile, s.Metadata, s.Model); err != nil {
		return err
	}
	if s.Optimizer != nil {
		if err := putTensors(OptimizerFile, nil, s.Optimizer); err != nil {
			return err
		}
	}
	if s.Train != nil {
		if err := putJSON(TrainFile, s.Train); err != nil {
			return err
		}
	}
	putText := func(name, text string) error {
		return output.CreateFile(filepath.Join(tmp, name), func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		})
	}
	if err := putText(CardFile, s.Card.Markdown()); err != nil {
		return err
	}
	if err := putText(SumsFile, sums.String()); err != nil {
		return err
	}
	return nil
}

// Load reads the checkpoint at dir and compares it with its checksums. If it is missing or damaged
// and the one that it replaced is whole, it reads that and says so in Warning. The error of a
// checkpoint that exists and is not whole is ErrDamaged, of one that does not exist fs.ErrNotExist.
func Load(dir string) (*Checkpoint, error) {
	dir = filepath.Clean(dir)
	c, err := load(dir)
	if err == nil {
		return c, nil
	}
	if c, perr := load(previous(dir)); perr == nil {
		c.Warning = fmt.Errorf("%w; using the one before it, %s", err, previous(dir))
		return c, nil
	}
	return nil, err
}

func load(dir string) (*Checkpoint, error) {
	c, err := read(os.DirFS(dir), func(name string) (*safetensors.File, error) {
		return safetensors.Open(filepath.Join(dir, name))
	})
	if errors.Is(err, fs.ErrNotExist) {
		if _, serr := os.Stat(dir); serr == nil {
			err = fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("checkpoint %s: %w", dir, err)
	}
	c.Dir = dir
	return c, nil
}

// ReadFS reads the checkpoint at the root of fsys, such as an embedded one, into memory.
func ReadFS(fsys fs.FS) (*Checkpoint, error) {
	c, err := read(fsys, func(name string) (*safetensors.File, error) {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		return safetensors.Parse(b)
	})
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return c, nil
}

// read reads all but the tensors from fsys, and those by tensors.
func read(fsys fs.FS, tensors func(name string) (*safetensors.File, error)) (*Checkpoint, error) {
	if err := verify(fsys); err != nil {
		return nil, err
	}
	c := &Checkpoint{}
	var err error
	if c.Config, err = readJSON(fsys, ConfigFile); err != nil {
		return nil, err
	}
	if c.Train, err = readJSON(fsys, TrainFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	card, err := readFile(fsys, CardFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	c.Card = string(card)
	if c.Model, err = tensors(ModelFile); err != nil {
		return nil, damaged(err)
	}
	if c.Optimizer, err = tensors(OptimizerFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(damaged(err), c.Model.Close())
	}
	return c, nil
}

// bound is how many bytes a file that is read whole may have. The state of training holds every environment's and what an
// exploration bonus counted; of the configurations here the largest has 20 kB.
func bound(name string) int64 {
	switch name {
	case TrainFile:
		return 1 << 30
	case ConfigFile:
		return 16 << 20
	}
	return 1 << 20
}

// readFile reads a file whole, of at most its bound.
func readFile(fsys fs.FS, name string) ([]byte, error) {
	b, err := text.ReadFS(fsys, name, bound(name))
	if err != nil {
		return nil, damaged(err)
	}
	return b, nil
}

// damaged marks the error of a file that exists.
func damaged(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

func readJSON(fsys fs.FS, name string) (json.RawMessage, error) {
	b, err := readFile(fsys, name)
	if err != nil {
		return nil, err
	}
	if !json.Valid(b) {
		return nil, fmt.Errorf("%w: %s is not JSON", ErrDamaged, name)
	}
	return b, nil
}
