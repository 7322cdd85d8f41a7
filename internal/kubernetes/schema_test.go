package main

import (
	"time"

	"go.yaml.in/yaml/v3"
)

// The parts of Kubernetes' objects that the examples use. They are parsed strictly: an unknown field is either
// misspelled, or must be looked up and added here.
type (
	meta struct {
		Name                string
		Labels, Annotations map[string]string
	}
	object struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   meta
	}
	configMap struct {
		object `yaml:",inline"`
		Data   map[string]string
	}
	service struct {
		object `yaml:",inline"`
		Spec   struct {
			Selector map[string]string
			Ports    []struct {
				Name       string
				Port       int
				TargetPort string `yaml:"targetPort"`
			}
		}
	}
	serviceMonitor struct {
		object `yaml:",inline"`
		Spec   struct {
			Selector  labelSelector
			Endpoints []struct {
				Port          string
				Interval      time.Duration
				ScrapeTimeout time.Duration `yaml:"scrapeTimeout"`
				Relabelings   []struct {
					SourceLabels []string `yaml:"sourceLabels"`
					Separator    string
					TargetLabel  string `yaml:"targetLabel"`
					Replacement  string
					Action       string
					Regex        string
				}
			}
		}
	}
	prometheusRule struct {
		object `yaml:",inline"`
		Spec   struct{ Groups []yaml.Node }
	}
	kustomization struct {
		object    `yaml:",inline"`
		Resources []string
	}
	networkPolicy struct {
		object `yaml:",inline"`
		Spec   struct {
			PodSelector     labelSelector `yaml:"podSelector"`
			PolicyTypes     []string      `yaml:"policyTypes"`
			Ingress, Egress []networkRule
		}
	}
	networkRule struct {
		From []struct {
			NamespaceSelector labelSelector `yaml:"namespaceSelector"`
		}
		Ports []struct{ Port, Protocol string }
	}
	disruptionBudget struct {
		object `yaml:",inline"`
		Spec   struct {
			MaxUnavailable int `yaml:"maxUnavailable"`
			Selector       labelSelector
		}
	}
	labelSelector struct {
		MatchLabels map[string]string `yaml:"matchLabels"`
	}
	deployment struct {
		object `yaml:",inline"`
		Spec   struct {
			Replicas int
			Strategy struct{ Type string }
			Selector labelSelector
			Template struct {
				Metadata meta
				Spec     pod
			}
		}
	}
	cronJob struct {
		object `yaml:",inline"`
		Spec   struct {
			Schedule          string
			ConcurrencyPolicy string `yaml:"concurrencyPolicy"`
			JobTemplate       struct {
				Spec struct {
					BackoffLimit int `yaml:"backoffLimit"`
					Template     struct{ Spec pod }
				}
			} `yaml:"jobTemplate"`
		}
	}
	pod struct {
		RestartPolicy                string `yaml:"restartPolicy"`
		AutomountServiceAccountToken *bool  `yaml:"automountServiceAccountToken"`
		EnableServiceLinks           *bool  `yaml:"enableServiceLinks"`
		SecurityContext              struct {
			RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
			RunAsUser      int                   `yaml:"runAsUser"`
			RunAsGroup     int                   `yaml:"runAsGroup"`
			FSGroup        int                   `yaml:"fsGroup"`
			SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
		} `yaml:"securityContext"`
		Containers []container
		Volumes    []struct {
			Name      string
			ConfigMap struct{ Name string } `yaml:"configMap"`
			Secret    struct {
				SecretName  string `yaml:"secretName"`
				DefaultMode int    `yaml:"defaultMode"`
			}
		}
	}
	container struct {
		Name, Image string
		Command     []string
		Args        []string
		EnvFrom     []struct {
			SecretRef struct{ Name string } `yaml:"secretRef"`
		} `yaml:"envFrom"`
		Env   []struct{ Name, Value string }
		Ports []struct {
			Name          string
			ContainerPort int `yaml:"containerPort"`
		}
		LivenessProbe   probe `yaml:"livenessProbe"`
		ReadinessProbe  probe `yaml:"readinessProbe"`
		Resources       struct{ Requests, Limits map[string]string }
		SecurityContext struct {
			AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
			ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
			Capabilities             struct{ Drop []string }
		} `yaml:"securityContext"`
		VolumeMounts []struct {
			Name      string
			MountPath string `yaml:"mountPath"`
			ReadOnly  bool   `yaml:"readOnly"`
		} `yaml:"volumeMounts"`
	}
	probe struct {
		HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
	}
)

// kinds are the objects that the examples can contain, by apiVersion and kind.
var kinds = map[string]func() any{
	"v1 ConfigMap":                                  func() any { return new(configMap) },
	"v1 Service":                                    func() any { return new(service) },
	"batch/v1 CronJob":                              func() any { return new(cronJob) },
	"apps/v1 Deployment":                            func() any { return new(deployment) },
	"policy/v1 PodDisruptionBudget":                 func() any { return new(disruptionBudget) },
	"networking.k8s.io/v1 NetworkPolicy":            func() any { return new(networkPolicy) },
	"kustomize.config.k8s.io/v1beta1 Kustomization": func() any { return new(kustomization) },
	"monitoring.coreos.com/v1 ServiceMonitor":       func() any { return new(serviceMonitor) },
	"monitoring.coreos.com/v1 PrometheusRule":       func() any { return new(prometheusRule) },
}
