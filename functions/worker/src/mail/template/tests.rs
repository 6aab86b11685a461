use serde_json::json;

use super::super::testing::{PAGE, call, question};
use super::*;

fn rendered(template: &str) -> Result<String, String> {
    let kwargs = json!({"wood": "oak <b>", "quantity": 12});
    render(template, &call(json!({"fn": "order", "kwargs": kwargs})), PAGE)
}

#[test]
fn a_template_of_humanlayer_sees_the_operation_and_the_address() {
    let template = "<p>{{ event.spec.fn }} {{ event.run_id }}{% for k, v in event.spec.kwargs.items() %} \
                    {{ k }}={{ v }}{% endfor %}</p>{{ event.spec.kwargs | tojson }}\
                    <a href=\"{{ urls.base_url }}?approve=true\">{{ type }}</a>{{ event.spec.missing }}";
    insta::assert_snapshot!(rendered(template).unwrap(), @r#"<p>order run-7 wood=oak &lt;b&gt; quantity=12</p>{"wood": "oak \u003cb\u003e", "quantity": 12}<a href="https:&#x2f;&#x2f;inbox.example.com&#x2f;d&#x2f;token?approve=true">v1beta2.function_call</a>"#);
    let asked = question(json!({"msg": "Oak?"}));
    assert_eq!(
        render("{{ type }}: {{ event.spec.msg }}", &asked, PAGE).unwrap(),
        "v1beta2.human_contact: Oak?"
    );
}

#[test]
fn a_template_cannot_load_or_run_for_long() {
    for (template, reason) in [
        (
            "{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}",
            "fuel",
        ),
        ("{{ 'x' * 100000000 }}", "fuel"),
        ("{{ 'x' * 300000 }}", "the HTML has 300000 bytes"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", ""),
        ("{% include '/etc/passwd' %}", "syntax error in line 1"),
        ("{% extends 'base' %}", "syntax error in line 1"),
        ("\n{{ event.spec.fn", "syntax error in line"),
        ("{{ nothing.of.this }}", "undefined value in line 1"),
        ("{{ event|secret_filter }}", "unknown filter"),
        // These would take any memory before the fuel counts them.
        ("{{ '{:9999999999}'.format('x') }}", "unknown method"),
        ("{{ ''.join(['x' * 1000] * 1000) }}", "unknown method"),
        ("{{ ('\\n' * 1000).splitlines() }}", "unknown method"),
        ("{{ 'x'.replace('x', 'y' * 1000) }}", "unknown method"),
    ] {
        let error = rendered(template).unwrap_err();
        assert!(error.contains(reason), "{template}: {error}");
        assert!(!error.contains("passwd") && !error.contains("secret_filter"), "{error}");
    }
}

/// Deep nesting could overflow the stack of the parser.
#[test]
fn deep_templates_are_refused() {
    for (open, close) in [("{{ (", ") }}"), ("{% if 1 %}", "{% endif %}")] {
        let open = open.repeat(if open.contains('(') { 1 } else { 20_000 });
        let template = format!("{open}{}1{}{close}", "(".repeat(20_000), ")".repeat(20_000));
        assert!(rendered(&template).is_err());
    }
}
