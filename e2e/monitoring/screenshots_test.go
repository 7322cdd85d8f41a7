//go:build e2e && screenshots

package monitoring

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/demo/data"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// drawn is a dashboard with the answers to its queries, as grafana-ui/draw.jsx reads it.
type drawn struct {
	Title    string  `json:"title"`
	Panels   []asked `json:"panels"`
	From, To int64
}

// TestScreenshots draws every dashboard in four situations, light and dark, into .cache/screenshots.
func TestScreenshots(t *testing.T) {
	if err := os.MkdirAll("../../.cache/screenshots", 0o755); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "draw.js")
	modules, err := filepath.Abs("../../.cache/grafana-ui/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	source, err := filepath.Abs("grafana-ui/draw.jsx")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("NODE_PATH", modules)
	run(t, filepath.Join(modules, ".bin", "esbuild"), source, "--bundle", "--minify", "--jsx=automatic",
		`--define:process.env.NODE_ENV="production"`, "--loader:.css=text", "--outfile="+script, "--log-level=error")
	code := strings.ReplaceAll(read(t, script), "</script", `<\/script`)

	rotten, healthy := pgtest.NewDatabase(t, pgtest.Shared(t)), pgtest.NewDatabase(t, pgtest.Shared(t))
	if err := data.Load(t.Context(), rotten, 0.02); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, healthy, `CREATE TABLE orders AS SELECT i AS id,
		CASE WHEN i % 50 = 0 THEN now() - i * interval '1 minute' END AS deleted_at FROM generate_series(1, 20000) i;
		CREATE INDEX ON orders (id) WHERE deleted_at IS NULL;
		CREATE TABLE carts AS SELECT * FROM orders; CREATE INDEX ON carts (id) WHERE deleted_at IS NULL; ANALYZE`)
	holder, err := pgx.Connect(t.Context(), rotten)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close(context.WithoutCancel(t.Context()))
	if _, err := holder.Exec(t.Context(), "BEGIN; LOCK TABLE gift_cards"); err != nil {
		t.Fatal(err)
	}
	binary, rules := build(t), compile(t, "compressed.jsonnet")
	for _, scene := range []struct {
		name, dsn, config string
		down              bool
	}{
		{"healthy", healthy, "ttl: 1s\ndeleted_rows_by_age: true\n", false},
		{"rotten", rotten, edit(t, string(data.Config), "ttl: 15s", "ttl: 1s\ndeleted_rows_by_age: true") +
			"probe: {allow: ['127.0.0.1:1/none']}\nauth_modules: {monitoring: {user: postgres}}\n", false},
		{"down", rotten, edit(t, string(data.Config), "ttl: 15s", "ttl: 1s"), true},
		{"empty", "", "", false},
	} {
		t.Run(scene.name, func(t *testing.T) {
			address := freeAddress(t)
			config := watched{address, "127.0.0.1:1/none"}.watch(t, rules, freeAddress(t))
			if scene.name != "rotten" { // which has a probed server that is down, too
				config, _, _ = strings.Cut(config, "  - job_name: softdelete_probe")
			}
			p := startPrometheus(t, find(t, "prometheus")[0], config)
			if scene.dsn != "" {
				exporter := start(t, "http://"+address+"/-/ready", []string{"DATA_SOURCE_NAME=" + scene.dsn}, binary,
					"--config.file="+write(t, "config.yaml", scene.config), "--web.listen-address="+address)
				await(t, "verdicts", func() bool { return len(p.query(t, `table:softdelete_health:max offset 20s`)) > 0 })
				if scene.down {
					exporter.stop(t)
					await(t, "the outage", func() bool { return len(p.query(t, `ALERTS{alertname="SoftDeleteExporterDown"}`)) > 0 })
				}
			}
			for _, d := range dashboards(t) {
				choices := []choice{d.everything()}
				if scene.dsn != "" && !scene.down {
					choices = d.choices(t, p)
				}
				now := time.Now()
				picture := drawn{Title: d.UID, From: now.Add(-time.Minute).UnixMilli(), To: now.UnixMilli()}
				height := 0
				for _, one := range d.Panels {
					var place struct{ GridPos struct{ Y, H int } }
					if err := json.Unmarshal(one.raw, &place); err != nil {
						t.Fatal(err)
					}
					height = max(height, 38*(place.GridPos.Y+place.GridPos.H)+8)
					if len(one.Targets) == 0 {
						picture.Panels = append(picture.Panels, asked{Panel: one.raw})
						continue
					}
					picture.Panels = append(picture.Panels, one.ask(t, p, choices))
				}
				input, err := json.Marshal(picture)
				if err != nil {
					t.Fatal(err)
				}
				for _, theme := range []string{"light", "dark"} {
					page := fmt.Sprintf("<!doctype html><meta charset=utf-8><body style=margin:0><div id=root></div>"+
						"<script>window.theme=%q;window.picture=%s</script><script>%s</script>", theme,
						strings.ReplaceAll(string(input), "</", `<\/`), code)
					file := write(t, "page.html", page)
					out, err := filepath.Abs(fmt.Sprintf("../../.cache/screenshots/%s-%s-%s.png",
						strings.TrimPrefix(d.UID, "softdelete-"), scene.name, theme))
					if err != nil {
						t.Fatal(err)
					}
					run(t, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
						"--force-device-scale-factor=0.7",
						fmt.Sprintf("--window-size=1500,%d", height), "--virtual-time-budget=4000", "--screenshot="+out, "file://"+file)
				}
			}
		})
	}
}
