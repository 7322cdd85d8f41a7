package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// look requests a page.
func look(s *Server, path string, headers ...string) (code int, body string) {
	answer, request := httptest.NewRecorder(), httptest.NewRequest("GET", path, nil)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	s.ServeHTTP(answer, request)
	return answer.Code, answer.Body.String()
}

func TestAProbedServerHasItsReportFromTheSameCache(t *testing.T) {
	probing(t, func(t *testing.T, c *counted, s *Server, probe func(string) string) {
		probe("db1:5432/shop")
		code, page := look(s, "/report?target=db1:5432/shop&auth_module=m")
		if code != http.StatusOK || !strings.Contains(page, "Soft delete health") {
			t.Fatalf("status %d: %s", code, page)
		}
		for _, want := range []string{`href="?auth_module=m&amp;format=json&amp;target=db1%3A5432%2Fshop"`,
			`href="probe?auth_module=m&amp;target=db1%3A5432%2Fshop"`, `href="targets"`} {
			if !strings.Contains(page, want) {
				t.Errorf("the page does not have %s", want)
			}
		}
		code, text := look(s, "/report?target=DB1:5432/shop&auth_module=m&format=json")
		var document struct {
			Healthy   *bool
			Databases []struct{ Database string }
		}
		if err := json.Unmarshal([]byte(text), &document); err != nil || code != http.StatusOK || document.Healthy == nil ||
			len(document.Databases) != 1 {
			t.Errorf("status %d, %v: %s", code, err, text)
		}
		if opened, refreshes := c.opened.Load(), c.refreshes.Load(); opened != 1 || refreshes != 1 {
			t.Errorf("%d servers were opened and refreshed %d times, want one of each", opened, refreshes)
		}
		// A report alone, without a probe, works too.
		if code, _ := look(s, "/report?target=db2:5432/shop&auth_module=m"); code != http.StatusOK || c.opened.Load() != 2 {
			t.Errorf("a server that was not probed yet: status %d", code)
		}
	})
}

func TestTheReportRefusesWhatAProbeRefuses(t *testing.T) {
	probing(t, func(t *testing.T, c *counted, s *Server, _ func(string) string) {
		allowed := *c.settings.Config()
		allowed.Probe.Allow = nil
		for _, path := range []string{"target=db1:5432/shop&auth_module=none", "target=db1&auth_module=m",
			"target=me:secret@db1:5432/shop&auth_module=m", "auth_module=m"} {
			if code, text := look(s, "/report?"+path); code != http.StatusBadRequest || strings.Contains(text, "secret") {
				t.Errorf("%s: status %d: %s", path, code, text)
			}
		}
		c.settings.config.Store(&allowed)
		if code, text := look(s, "/report?target=db1:5432/shop&auth_module=m"); code != http.StatusBadRequest ||
			!strings.Contains(text, "probe.allow") {
			t.Errorf("a target that is not allowed: status %d: %s", code, text)
		}
		if code, text := look(s, "/report"); code != http.StatusNotFound || !strings.Contains(text, "/targets") {
			t.Errorf("without a target: status %d: %s", code, text)
		}
		if n := c.opened.Load(); n != 0 {
			t.Errorf("%d servers were opened", n)
		}
	})
}

func TestTheListOfServersHasTheirVerdictsAndAsksNone(t *testing.T) {
	probing(t, func(t *testing.T, c *counted, s *Server, probe func(string) string) {
		if code, page := look(s, "/targets"); code != http.StatusOK || !strings.Contains(page, "No server is known") {
			t.Errorf("before any probe: status %d: %s", code, page)
		}
		probe("db1:5432/shop")
		probe("db2:5432/invented")
		refreshes := c.refreshes.Load()
		time.Sleep(s.Settings.Config().TTL.Std() + time.Second) // a refresh is due
		code, text := look(s, "/targets", "Accept", "application/json")
		var listed []struct {
			Target, Report, Summary string
			Health                  string `json:"overall_health"`
		}
		if err := json.Unmarshal([]byte(text), &listed); err != nil || code != http.StatusOK || len(listed) != 2 {
			t.Fatalf("status %d, %v: %s", code, err, text)
		}
		if worst := listed[0]; worst.Target != "db2:5432/invented" || worst.Health != "poor" {
			t.Errorf("the first is %+v", worst)
		}
		if best := listed[1]; best.Report != "report?auth_module=m&target=db1%3A5432%2Fshop" || best.Health == "poor" {
			t.Errorf("the second is %+v", best)
		}
		_, page := look(s, "/targets")
		for _, want := range []string{`href="report?auth_module=m&amp;target=db1%3A5432%2Fshop"`,
			"<bdi>db2:5432/invented</bdi>", "auth_module m"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page does not have %s:\n%s", want, page)
			}
		}
		if n := c.refreshes.Load(); n != refreshes {
			t.Errorf("the list caused %d refreshes", n-refreshes)
		}
	})
}
