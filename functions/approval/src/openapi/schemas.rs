//! Schemas derived from types, and the components they refer to.

use std::collections::BTreeMap;

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

/// The schema of a type.
pub(super) type SchemaOf = fn(&mut Schemas) -> Value;

/// Two generators, because requests and replies differ in which members may be left out.
pub(super) struct Schemas {
    requests: SchemaGenerator,
    replies: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.meta_schema = None;
            settings.definitions_path = "/components/schemas".into();
        });
        let settings = settings.with_transform(RecursiveTransform(without_widths));
        Self {
            requests: settings.clone().for_deserialize().into_generator(),
            replies: settings.for_serialize().into_generator(),
        }
    }

    /// The schema of a type in a request.
    pub(super) fn request<T: JsonSchema>(&mut self) -> Value {
        self.requests.subschema_for::<T>().into()
    }

    /// The schema of a type in a reply.
    pub(super) fn reply<T: JsonSchema>(&mut self) -> Value {
        self.replies.subschema_for::<T>().into()
    }

    /// The schema itself in place of a reference to it. The type is then no component.
    pub(super) fn inline(&mut self, schema: SchemaOf) -> Value {
        let schema = schema(self);
        let name = schema["$ref"].as_str().and_then(|place| place.rsplit('/').next());
        let found = name.and_then(|name| self.requests.definitions_mut().remove(name));
        found.unwrap_or(schema)
    }

    /// The components that the document refers to.
    pub(super) fn components(mut self) -> BTreeMap<String, Value> {
        let mut components = BTreeMap::new();
        for generator in [&mut self.requests, &mut self.replies] {
            for (name, schema) in generator.take_definitions(true) {
                if let Some(other) = components.insert(name.clone(), schema.clone()) {
                    assert_eq!(other, schema, "two types have the name {name}");
                }
            }
        }
        components
    }
}

/// Removes formats such as `uint32`, which JSON does not have. `minimum` and `maximum` give the range.
fn without_widths(schema: &mut Schema) {
    if schema.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint"))
    {
        schema.remove("format");
    }
}

/// Turns the members of an object schema into parameters.
pub(super) fn parameters(place: &str, object: Value) -> Vec<Value> {
    let members: Map<String, Value> = object["properties"].as_object().cloned().unwrap_or_default();
    let parameters = members.into_iter().map(|(name, schema)| {
        let mut schema = never_null(schema);
        let mut parameter = json!({"name": name, "in": place});
        if place == "path" {
            parameter["required"] = true.into();
        }
        let Some(members) = schema.as_object_mut() else { return parameter };
        if let Some(description) = members.remove("description") {
            parameter["description"] = description;
        }
        if let Some(mut examples) = members.remove("examples") {
            parameter["example"] = examples[0].take();
        }
        parameter["schema"] = schema;
        parameter
    });
    parameters.collect()
}

/// Removes null from a schema: an optional parameter may be left out but is never null.
fn never_null(mut schema: Value) -> Value {
    if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|name| name != "null");
        schema["type"] = types.remove(0);
    }
    let forms = schema.get_mut("anyOf").and_then(Value::as_array_mut);
    if let Some(forms) = forms.filter(|forms| forms.contains(&json!({"type": "null"}))) {
        let mut form = forms.remove(0);
        form["description"] = schema["description"].take();
        return form;
    }
    schema
}
