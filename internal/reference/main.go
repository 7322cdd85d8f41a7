// Reference writes docs/configuration.md from the types of package config, their comments, and the defaults of
// config.yaml. go generate runs it.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

const head = `<!-- Written by go generate from the types in config/ and from config.yaml. -->

# Configuration

The file of --config.file overrides these defaults. Unknown settings are errors, and all errors are reported together. A
reload keeps the old configuration if the new one has an error ([operations.md](operations.md#reloading)).

Durations are written like 100ms, 5m, 6h or 90d. Patterns are RE2 regular expressions that must match a whole name.

`

func main() {
	log.SetFlags(0)
	root := os.Args[1]
	r := reference{types: map[string]*ast.StructType{}}
	if err := r.parse(filepath.Join(root, "config")); err != nil {
		log.Fatalf("reference: %v", err)
	}
	text, err := os.ReadFile(filepath.Join(root, "config.yaml"))
	if err != nil {
		log.Fatalf("reference: %v", err)
	}
	if err := yaml.Unmarshal(text, &r.defaults); err != nil {
		log.Fatalf("reference: config.yaml: %v", err)
	}
	var out strings.Builder
	out.WriteString(head + "| setting | type | default | meaning |\n|---|---|---|---|\n")
	r.write(&out, "Config", "", r.defaults)
	if err := os.WriteFile(filepath.Join(root, "docs", "configuration.md"), []byte(out.String()), 0o644); err != nil {
		log.Fatalf("reference: %v", err)
	}
}

// reference is what was read from package config.
type reference struct {
	types    map[string]*ast.StructType
	defaults map[string]any
}

// parse reads the structs of a package and their comments.
func (r reference) parse(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		for _, d := range parsed.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range decl.Specs {
				if t, ok := spec.(*ast.TypeSpec); ok {
					if s, ok := t.Type.(*ast.StructType); ok {
						r.types[t.Name.Name] = s
					}
				}
			}
		}
	}
	return nil
}

// words are the names of types in the documentation.
var words = map[string]string{
	"Duration": "duration", "Retention": "duration or none", "Pattern": "pattern", "Secret": "text",
	"Names": "names, each on or off", "Switches": "texts, each on or off",
	"string": "text", "bool": "true or false", "int": "number", "int64": "number", "float64": "number",
}

// write adds a row for each setting of a struct; a group gets a row for each of its settings.
func (r reference) write(out *strings.Builder, structName, prefix string, defaults any) {
	for _, field := range r.types[structName].Fields.List {
		if field.Names == nil { // inline
			typeName, _ := base(field.Type)
			r.write(out, typeName, prefix, defaults)
			continue
		}
		name := tag(field)
		if name == "" || name == "-" {
			continue
		}
		path := prefix + name
		var value any
		if group, ok := defaults.(map[string]any); ok {
			value = group[name]
		}
		typeName, many := base(field.Type)
		doc := strings.TrimSpace(strings.ReplaceAll(field.Doc.Text(), "\n", " "))
		// A comment begins with the Go name of the field; readers know its name in the file.
		if own := field.Names[0].Name; strings.HasPrefix(doc, own+" ") {
			doc = "`" + name + "`" + strings.TrimPrefix(doc, own)
		}
		if simple := words[typeName] != ""; (simple || many != "") && doc == "" {
			log.Fatalf("reference: %s.%s needs a comment", structName, field.Names[0].Name)
		}
		word, simple := words[typeName]
		if !simple && r.types[typeName] == nil {
			word, simple = strings.ToLower(typeName), true
		}
		switch {
		case simple && many != "":
			of := map[string]string{"list": "list of " + word, "group by name": word + " by name"}[many]
			fmt.Fprintf(out, "| `%s` | %s | %s | %s |\n", path, of, shown(value), doc)
		case simple:
			fmt.Fprintf(out, "| `%s` | %s | %s | %s |\n", path, word, shown(value), doc)
		default:
			if many != "" {
				fmt.Fprintf(out, "| `%s` | %s | %s | %s |\n", path, many, shown(value), doc)
				path += map[string]string{"list": "[]", "group by name": ".NAME"}[many]
			}
			r.write(out, typeName, path+".", value)
		}
	}
}

// base returns the type of a setting, and whether the setting is a list or a group of it.
func base(t ast.Expr) (name, many string) {
	switch t := t.(type) {
	case *ast.ArrayType:
		name, _ = base(t.Elt)
		return name, "list"
	case *ast.MapType:
		name, _ = base(t.Value)
		return name, "group by name"
	case *ast.StarExpr:
		return base(t.X)
	case *ast.SelectorExpr:
		return t.Sel.Name, ""
	case *ast.Ident:
		return t.Name, ""
	default:
		return "", ""
	}
}

func tag(field *ast.Field) string {
	if field.Tag == nil {
		return ""
	}
	name, _, _ := strings.Cut(reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("yaml"), ",")
	return name
}

// shown writes a default as in the file.
func shown(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		if v == "" {
			return "none"
		}
		return "`" + v + "`"
	case []any:
		if len(v) == 0 {
			return "none"
		}
		return "see config.yaml"
	case map[string]any:
		if len(v) == 0 {
			return "none"
		}
		return "see config.yaml"
	default:
		return fmt.Sprintf("`%v`", v)
	}
}
