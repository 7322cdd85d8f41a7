package config

import (
	"fmt"
	"os"
	"strconv"
)

// environment applies the reference's variables.
func environment(c *Config) error {
	c.Monitoring = true
	if text := os.Getenv("SOFT_DELETE_ENABLE_MONITORING"); text != "" {
		on, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("SOFT_DELETE_ENABLE_MONITORING: write true or false, not %q", text)
		}
		c.Monitoring = on
	}
	return nil
}
