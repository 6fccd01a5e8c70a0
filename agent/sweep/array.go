package sweep

import (
	"fmt"

	"github.com/ponder-agents/ponder/internal/shell"
)

// Array is the command that starts every run of the sweep in file as a task of its own, which trains into dir: an
// array of Slurm or an indexed job of Kubernetes. dir must be on a disk that all tasks share.
func Array(p *Plan, system, file, dir string) (string, error) {
	if p.Stop != "" {
		return "", fmt.Errorf("stop = %q compares all runs, which tasks of an array cannot: leave it out", p.Stop)
	}
	n := len(p.List())
	task := func(index string) string {
		return fmt.Sprintf("ponder sweep %s --out %s --index %s", shell.Quote(file), shell.Quote(dir), index)
	}
	switch system {
	case "slurm":
		return fmt.Sprintf("sbatch --array=0-%d --job-name=ponder --wrap=%s\n", n-1, shell.Quote(task("$SLURM_ARRAY_TASK_ID"))), nil
	case "kubernetes":
		return fmt.Sprintf(`kubectl apply -f - <<'END'
apiVersion: batch/v1
kind: Job
metadata: {name: ponder-sweep}
spec:
  completionMode: Indexed
  completions: %d
  parallelism: %d
  template:
    spec:
      restartPolicy: OnFailure
      containers:
      - name: ponder
        image: ponder              # yours, with ponder in its PATH
        workingDir: /sweep
        command: [sh, -c, %q]
        volumeMounts: [{name: sweep, mountPath: /sweep}]
      volumes: [{name: sweep, persistentVolumeClaim: {claimName: sweep}}] # yours, with the files
END
`, n, min(n, 16), task("$JOB_COMPLETION_INDEX")), nil
	}
	return "", fmt.Errorf("array %q: want slurm or kubernetes", system)
}
