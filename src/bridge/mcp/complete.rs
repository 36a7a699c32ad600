//! Completes what somebody began to type: names of learners, lessons, steps and objects.

use rmcp::ErrorData;
use rmcp::model::{CompleteRequestParams, CompleteResult, CompletionInfo};

use super::call::Call;

/// The words that begin with what was typed, first those that really begin with it, then those that hold it.
pub(super) fn complete(
    call: &Call,
    request: &CompleteRequestParams,
) -> Result<CompleteResult, ErrorData> {
    let words = call
        .shared
        .catalogue
        .completions
        .get(request.argument.name.as_str())
        .map(|words| words(call, &request.argument.value))
        .unwrap_or_default();
    let typed = request.argument.value.to_lowercase();
    let (mut fitting, others): (Vec<String>, Vec<String>) = words
        .into_iter()
        .partition(|word| word.to_lowercase().starts_with(&typed));
    fitting.extend(
        others
            .into_iter()
            .filter(|word| word.to_lowercase().contains(&typed)),
    );
    let total = u32::try_from(fitting.len()).unwrap_or(u32::MAX);
    let more = fitting.len() > CompletionInfo::MAX_VALUES;
    fitting.truncate(CompletionInfo::MAX_VALUES);
    let completion = CompletionInfo::with_pagination(fitting, Some(total), more)
        .map_err(|why| ErrorData::internal_error(why, None))?;
    Ok(CompleteResult::new(completion))
}
