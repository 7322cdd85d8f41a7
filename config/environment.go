package config

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
)

// environment applies the SOFT_DELETE_* variables. Those about alerts affect only the report's list of alerts.
func environment(c *Config) error {
	c.Monitoring = true
	c.Alerts = assess.AlertConditions{HighDeletionRatio: true, BulkOperations: true}
	return errors.Join(
		fromSwitch("SOFT_DELETE_ENABLE_MONITORING", &c.Monitoring),
		fromSwitch("SOFT_DELETE_ALERT_ON_HIGH_DELETION_RATIO", &c.Alerts.HighDeletionRatio),
		fromNumber("SOFT_DELETE_DELETION_RATIO_ALERT_THRESHOLD", &c.Alerts.DeletionRatio, 1,
			"a fraction from 0 to 1, such as 0.25"),
		fromSwitch("SOFT_DELETE_ALERT_ON_BULK_OPERATIONS", &c.Alerts.BulkOperations),
		fromNumber("SOFT_DELETE_BULK_OPERATION_ALERT_THRESHOLD", &c.Alerts.BulkRows, 1e18,
			"a number of rows, such as 10000"),
	)
}

func fromSwitch(name string, value *bool) error {
	text := os.Getenv(name)
	if text == "" {
		return nil
	}
	on, err := strconv.ParseBool(text)
	if err != nil {
		return fmt.Errorf("%s: write true or false, not %q", name, text)
	}
	*value = on
	return nil
}

// fromNumber leaves value nil if the variable is not set.
func fromNumber(name string, value **float64, most float64, want string) error {
	text := os.Getenv(name)
	if text == "" {
		return nil
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || !(number >= 0 && number <= most) {
		return fmt.Errorf("%s: write %s, not %q", name, want, text)
	}
	*value = &number
	return nil
}
