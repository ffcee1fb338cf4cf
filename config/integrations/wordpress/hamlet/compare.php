<?php
/** The comparison: what Hamlet said beside what WordPress, Akismet or another plugin did, and what people said after both. */

namespace Hamlet;

defined( 'ABSPATH' ) || exit;

const DIFFERENCES_SHOWN = 100;
/** What each called it, in one set of words. Akismet knows no doubt; WordPress holds on its own. */
const BESIDE = array( '1' => 'publish', '0' => 'hold', 'spam' => 'reject', 'trash' => 'reject' );

add_action(
	'admin_menu',
	static function (): void {
		add_comments_page( 'Hamlet: comparison', 'Hamlet', 'moderate_comments', 'hamlet-compare', __NAMESPACE__ . '\show_comparison' );
	}
);

/** Counts by (Hamlet, beside, person) of the last days. */
function counts( int $days ): array {
	global $wpdb;
	$sql = 'SELECT verdict, beside, person, count(*) AS comments FROM ' . table() . " WHERE verdict <> '' AND sent_at >= %s GROUP BY verdict, beside, person";
	return $wpdb->get_results( $wpdb->prepare( $sql, gmdate( 'Y-m-d H:i:s', time() - $days * DAY_IN_SECONDS ) ) );
}

/**
 * Who was right where a person ruled. `remove` says nothing about spam and counts for nobody; a doubt is neither right nor wrong.
 *
 * @return array{grid: array, right: array, ruled: int}
 */
function compare( array $counts ): array {
	$grid  = array();
	$right = array( 'hamlet' => array( 'right' => 0, 'wrong' => 0, 'doubted' => 0 ), 'beside' => array( 'right' => 0, 'wrong' => 0, 'doubted' => 0 ) );
	$ruled = 0;
	foreach ( $counts as $row ) {
		$words = array( 'hamlet' => $row->verdict, 'beside' => BESIDE[ $row->beside ] ?? 'hold' );
		$grid[ $words['hamlet'] ][ $words['beside'] ] = ( $grid[ $words['hamlet'] ][ $words['beside'] ] ?? 0 ) + (int) $row->comments;
		$truth                                        = array( 'publish' => 'publish', 'spam' => 'reject' )[ $row->person ] ?? '';
		if ( '' === $truth ) {
			continue;
		}
		$ruled += (int) $row->comments;
		foreach ( $words as $who => $word ) {
			$what                    = 'hold' === $word ? 'doubted' : ( $word === $truth ? 'right' : 'wrong' );
			$right[ $who ][ $what ] += (int) $row->comments;
		}
	}
	return array( 'grid' => $grid, 'right' => $right, 'ruled' => $ruled );
}

/** The newest comments of which one said publish and the other reject, or one doubted. */
function differences( int $days ): array {
	global $wpdb;
	$sql = 'SELECT * FROM ' . table() . " WHERE verdict <> '' AND sent_at >= %s
		AND verdict <> CASE beside WHEN '1' THEN 'publish' WHEN '0' THEN 'hold' ELSE 'reject' END ORDER BY sent_at DESC LIMIT %d";
	return $wpdb->get_results( $wpdb->prepare( $sql, gmdate( 'Y-m-d H:i:s', time() - $days * DAY_IN_SECONDS ), DIFFERENCES_SHOWN ) );
}

function show_comparison(): void {
	if ( ! current_user_can( 'moderate_comments' ) ) {
		return;
	}
	$days     = min( 365, max( 1, (int) ( $_GET['days'] ?? 7 ) ) ); // phpcs:ignore WordPress.Security.NonceVerification
	$compared = compare( counts( $days ) );
	echo '<div class="wrap"><h1>Hamlet beside what else decides</h1>';
	$note = enforces() ? 'Hamlet decides here; "beside" is what would have been done without it.' : 'Hamlet observes: it changed nothing of this.';
	printf( '<p>%s</p>', esc_html( sprintf( 'The last %d days. %s', $days, $note ) ) );
	grid( $compared['grid'] );
	printf( '<h2>Where a person ruled (%d comments)</h2>', (int) $compared['ruled'] );
	echo '<table class="widefat striped"><thead><tr><th></th><th>right</th><th>wrong</th><th>in doubt</th></tr></thead><tbody>';
	foreach ( array( 'hamlet' => 'Hamlet', 'beside' => 'Beside' ) as $who => $name ) {
		$of = $compared['right'][ $who ];
		printf( '<tr><th>%s</th><td>%d</td><td>%d</td><td>%d</td></tr>', esc_html( $name ), (int) $of['right'], (int) $of['wrong'], (int) $of['doubted'] );
	}
	echo '</tbody></table><p>People mostly rule on what was held or looks odd, so these are no error rates of all comments.</p>';
	list_differences( differences( $days ) );
	show_export_form();
	echo '</div>';
}

function grid( array $grid ): void {
	echo '<table class="widefat striped"><thead><tr><th>Hamlet says</th><th>beside: published</th><th>beside: pending</th><th>beside: spam or trash</th></tr></thead><tbody>';
	foreach ( array( 'publish', 'hold', 'reject' ) as $verdict ) {
		printf( '<tr><th>%s</th>', esc_html( $verdict ) );
		foreach ( array( 'publish', 'hold', 'reject' ) as $beside ) {
			$cell = $verdict === $beside ? '<td><strong>%d</strong></td>' : '<td>%d</td>';
			printf( $cell, (int) ( $grid[ $verdict ][ $beside ] ?? 0 ) ); // phpcs:ignore WordPress.Security.EscapeOutput
		}
		echo '</tr>';
	}
	echo '</tbody></table>';
}

function list_differences( array $records ): void {
	echo '<h2>Where they differ</h2><table class="widefat striped"><thead><tr><th>Comment</th><th>Hamlet</th><th>Beside</th><th>Akismet</th><th>A person</th></tr></thead><tbody>';
	foreach ( $records as $record ) {
		$comment = get_comment( (int) $record->comment_id );
		$text    = $comment ? wp_html_excerpt( $comment->comment_content, 120, '...' ) : 'deleted since';
		$link    = $comment ? admin_url( 'comment.php?action=editcomment&c=' . (int) $record->comment_id ) : '';
		$akismet = array( 'true' => 'spam', 'false' => 'ham' )[ $record->akismet ] ?? '';
		printf(
			'<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>',
			$link ? sprintf( '<a href="%s">%s</a>', esc_url( $link ), esc_html( $text ) ) : esc_html( $text ),
			esc_html( $record->verdict ),
			esc_html( BESIDE[ $record->beside ] ?? $record->beside ),
			esc_html( $akismet ),
			esc_html( $record->person )
		);
	}
	echo $records ? '' : '<tr><td colspan="5">Nowhere yet.</td></tr>';
	echo '</tbody></table>';
}
