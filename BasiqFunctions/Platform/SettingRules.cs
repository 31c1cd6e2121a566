using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace BasiqFunctions.Platform;

/// <summary>A rule of a setting; what is against it is named with its section, such as <c>Sync:PageSize</c>.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal abstract class SettingRuleAttribute : ValidationAttribute
{
    /// <summary>Why, after the rule's words.</summary>
    public string? Why { get; set; }

    /// <summary>What is wrong with a value, such as "must be at least 1"; null when nothing is.</summary>
    protected abstract string? Wrong(object? value);

    protected override ValidationResult? IsValid(object? value, ValidationContext validationContext) =>
        Wrong(value) is { } rule
            ? new ValidationResult($"{Settings.SectionOf(validationContext.ObjectType)}:{validationContext.MemberName} {rule}{(Why is null ? "" : $": {Why}")}.")
            : ValidationResult.Success;
}

/// <summary>A duration within bounds, both included, as settings write them.</summary>
internal sealed class DurationAttribute(string least, string? most = null) : SettingRuleAttribute
{
    protected override string? Wrong(object? value) =>
        value is not TimeSpan duration || (duration >= Settings.Parse(least) && (most is null || duration <= Settings.Parse(most))) ? null
        : most is null ? $"must be at least {least}"
        : $"must be between {least} and {most}";
}

/// <summary>A number within bounds, both included; none is none.</summary>
internal sealed class NumberAttribute(double least, double most) : SettingRuleAttribute
{
    protected override string? Wrong(object? value) =>
        value is null || (Convert.ToDouble(value, CultureInfo.InvariantCulture) is var number && number >= least && number <= most)
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"must be between {least} and {most}");
}

/// <summary>The name of an Azure table (Microsoft Learn, "Understanding the Table service data model").</summary>
internal sealed class TableNameAttribute : SettingRuleAttribute
{
    protected override string? Wrong(object? value) =>
        value is string { Length: >= 3 and <= 63 } name && char.IsAsciiLetter(name[0]) && name.All(char.IsAsciiLetterOrDigit)
            ? null
            : "must have 3 to 63 letters and digits, a letter first";
}

/// <summary>The name of a blob container or a queue (Microsoft Learn, "Naming and Referencing Containers", "Naming Queues and Metadata").</summary>
internal sealed class StorageNameAttribute : SettingRuleAttribute
{
    /// <summary>Whether it may be empty.</summary>
    public bool IsOptional { get; set; }

    protected override string? Wrong(object? value) =>
        value is string name && ((IsOptional && name.Length == 0)
            || (name.Length is >= 3 and <= 63
                && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-')
                && name[0] != '-' && name[^1] != '-'
                && !name.Contains("--", StringComparison.Ordinal)))
            ? null
            : "must have 3 to 63 lower-case letters, digits and single hyphens, not at its ends";
}
